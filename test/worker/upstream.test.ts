import { afterEach, describe, expect, it, vi } from "vitest";
import { createTestApp, type Fault } from "../support/coze.ts";
import { recordLog } from "../support/log.ts";
import { propertiesOf, startWorker } from "../support/worker.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

async function postWith(fault: Fault, settings: Readonly<Record<string, unknown>> = {}) {
  const app = await createTestApp();
  await app.arm(fault);
  const worker = await startWorker({ ...app.settings, ...settings });
  const response = await worker.post("ada");
  return { response, body: await propertiesOf(response), app, worker };
}

const responding = (body: unknown, status = 200, headers: Record<string, string> = {}): Fault => ({
  times: null,
  response: { status, headers, body },
});

describe("a permanent failure of Coze", () => {
  it.each<[string, Fault, number, string, number]>([
    ["drops the connection", { times: null, drop: true }, 503, "upstream_unavailable", 3],
    ["hangs", { times: null, hang: true }, 504, "upstream_timeout", 3],
    ["is busy", responding({}, 503), 503, "upstream_unavailable", 3],
    ["redirects", responding("", 307, { Location: "/elsewhere" }), 502, "upstream_invalid_response", 1],
    ["returns HTML", responding("<html>", 200), 502, "upstream_invalid_response", 1],
    [
      "returns more than 64 KiB",
      { times: null, response: { body_bytes: 64 * 1024 + 1 } },
      502,
      "upstream_invalid_response",
      1,
    ],
    ["refuses", responding({ error_code: "access_deny", error_message: "no" }, 403), 502, "upstream_rejected", 1],
  ])("responds with an error while Coze %s", async (_what, fault, status, error, attempts) => {
    const { response, body, app, worker } = await postWith(fault, { UPSTREAM_TIMEOUT_MS: fault.hang ? 200 : 2000 });
    expect(response.status).toBe(status);
    expect(body).toMatchObject({ error });
    expect(response.headers.get("Retry-After")).toBe(status === 503 ? "5" : null);
    expect(await app.exchanges()).toHaveLength(attempts);

    await app.control("DELETE", `/faults?client_id=${app.clientId}`);
    expect((await worker.post("ada")).status).toBe(200);
  });

  it("passes on a Retry-After that exceeds the time budget, without another try", async () => {
    const { response, app } = await postWith(responding("", 429, { "Retry-After": "60" }));
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toBe("60");
    expect(await app.exchanges()).toHaveLength(1);
  });
});

describe("a temporary failure of Coze", () => {
  it.each<[string, Fault]>([
    ["drops a connection", { drop: true }],
    ["hangs", { hang: true }],
    ["is busy twice", { times: 2, response: { status: 503 } }],
  ])("tries again with a new assertion when Coze %s", async (_what, fault) => {
    const { response, app } = await postWith(fault, { UPSTREAM_TIMEOUT_MS: 500 });
    expect(response.status).toBe(200);
    const jtis = (await app.exchanges()).map(({ assertion }) => assertion.claims["jti"]);
    expect(jtis.length).toBe((fault.times ?? 1) + 1);
    expect(new Set(jtis).size).toBe(jtis.length);
  });
});

describe("expires_in", () => {
  it("limits expires_in to the requested duration when Coze returns more", async () => {
    const fault = responding({ access_token: "czs_x", expires_in: Math.floor(Date.now() / 1000) + 86_399 });
    const { body, app, worker } = await postWith(fault, { TOKEN_DURATION: 60 });
    const [exchange] = await app.exchanges();
    expect(body["expires_in"]).toBe(Number(exchange?.assertion.claims["iat"]) + 60);

    const next = await worker.post("ada");
    expect(await propertiesOf(next)).toEqual(body);
    expect(next.headers.get("Cache-Status")).toMatch(/^coze-token-worker; hit; ttl=(60|5\d)$/);
  });
});

describe("code 4100", () => {
  it("tries the previous key once when Coze responds with code 4100, and logs it", async () => {
    const log = recordLog();
    const app = await createTestApp();
    const fault: Fault = { response: { status: 401, body: { code: 4100, msg: "authentication is invalid" } } };
    await app.arm(fault);
    const { KID: kid, PRIVATE_KEY: key } = app.settings;
    const worker = await startWorker({ ...app.settings, KID: "new", PREVIOUS_KID: kid, PREVIOUS_PRIVATE_KEY: key });
    expect((await worker.post("ada")).status).toBe(200);
    expect((await app.exchanges()).map(({ assertion }) => assertion.header["kid"])).toEqual(["new", kid]);
    expect(log.events("previous_key_used")).toEqual([
      expect.objectContaining({ level: "warn", coze: expect.objectContaining({ error_code: "4100" }) }),
    ]);
  });
});

describe("a long Coze error", () => {
  it("cuts the error and log id of Coze to 500 characters in response and log", async () => {
    const log = recordLog();
    const cozeBody = { error_code: `access_${"c".repeat(1000)}`, error_message: "m".repeat(60_000) };
    const { body } = await postWith(responding(cozeBody, 403, { "X-Tt-Logid": "1".repeat(4000) }));
    const coze = {
      status: 403,
      error_code: `access_${"c".repeat(493)}`,
      error_message: "m".repeat(500),
      log_id: expect.stringMatching(/^.{500}$/),
    };
    expect(body["coze"]).toEqual(coze);
    expect(log.events("token_request")).toEqual([expect.objectContaining({ coze })]);
  });

  it("cuts the log id of Coze to 500 characters in the log when there is a token", async () => {
    const log = recordLog();
    const fault = responding({ access_token: "czs_x", expires_in: 600 }, 200, { "X-Tt-Logid": "1".repeat(4000) });
    const { response } = await postWith(fault);
    expect(response.status).toBe(200);
    expect(log.events("token_request")).toEqual([
      expect.objectContaining({ coze_log_id: expect.stringMatching(/^.{500}$/) }),
    ]);
  });
});
