import { afterEach, describe, expect, it, vi } from "vitest";
import { createTestApp, type Fault } from "../support/coze.ts";
import { recordLog } from "../support/log.ts";
import { membersOf, startWorker } from "../support/worker.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

async function postWith(fault: Fault, settings: Readonly<Record<string, unknown>> = {}) {
  const app = await createTestApp();
  await app.arm(fault);
  const worker = await startWorker({ ...app.settings, ...settings });
  const response = await worker.post("ada");
  return { response, members: await membersOf(response), app, worker };
}

const answering = (body: unknown, status = 200, headers: Record<string, string> = {}): Fault => ({
  times: null,
  response: { status, headers, body },
});

describe("a Coze that fails for good", () => {
  it.each<[string, Fault, number, string, number]>([
    ["drops the connection", { times: null, drop: true }, 503, "upstream_unavailable", 3],
    ["hangs", { times: null, hang: true }, 504, "upstream_timeout", 3],
    ["is busy", answering({}, 503), 503, "upstream_unavailable", 3],
    ["limits the rate", answering("slow down", 429), 503, "upstream_unavailable", 3],
    ["has an internal error under 200", answering({ error_code: "internal_error" }), 503, "upstream_unavailable", 3],
    ["redirects", answering("", 307, { Location: "/elsewhere" }), 502, "upstream_invalid_response", 1],
    ["answers HTML", answering("<html>", 200), 502, "upstream_invalid_response", 1],
    ["answers {}", answering({}), 502, "upstream_invalid_response", 1],
    ["answers half of some JSON", answering('{"access_token":"czs_'), 502, "upstream_invalid_response", 1],
    [
      "answers more than 64 KiB",
      { times: null, response: { body_bytes: 64 * 1024 + 1 } },
      502,
      "upstream_invalid_response",
      1,
    ],
    ["refuses", answering({ error_code: "access_deny", error_message: "no" }, 403), 502, "upstream_rejected", 1],
    [
      "refuses under 200",
      answering({ error_code: "invalid_request", error_message: "x" }),
      502,
      "upstream_rejected",
      1,
    ],
  ])("and %s", async (_what, fault, status, error, attempts) => {
    const { response, members, app, worker } = await postWith(fault, { UPSTREAM_TIMEOUT_MS: 200 });
    expect(response.status).toBe(status);
    expect(members).toMatchObject({ error });
    expect(response.headers.get("Retry-After")).toBe(status === 503 ? "5" : null);
    expect(await app.exchanges()).toHaveLength(attempts);

    await app.control("DELETE", `/faults?client_id=${app.clientId}`);
    expect((await worker.post("ada")).status).toBe(200);
  });

  it("and asks for patience that the budget has not: it is passed on at once", async () => {
    const { response, app } = await postWith(answering("", 429, { "Retry-After": "60" }));
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toBe("60");
    expect(await app.exchanges()).toHaveLength(1);
  });
});

describe("a Coze that fails for a moment", () => {
  it.each<[string, Fault]>([
    ["drops a connection", { drop: true }],
    ["hangs", { hang: true }],
    ["is busy twice", { times: 2, response: { status: 503 } }],
    ["limits the rate", { response: { status: 429, headers: { "Retry-After": "1" } } }],
    ["has an internal error", { response: { status: 500, body: { error_code: "internal_error" } } }],
  ])("and %s is asked again with a new assertion", async (_what, fault) => {
    const { response, app } = await postWith(fault, { UPSTREAM_TIMEOUT_MS: 500 });
    expect(response.status).toBe(200);
    const jtis = (await app.exchanges()).map(({ assertion }) => assertion.claims["jti"]);
    expect(jtis.length).toBe((fault.times ?? 1) + 1);
    expect(new Set(jtis).size).toBe(jtis.length);
  });
});

describe("the life of a token", () => {
  const nowSeconds = () => Math.floor(Date.now() / 1000);

  it("may be told as a lifetime in place of a moment", async () => {
    const { members } = await postWith(answering({ access_token: "czs_x", expires_in: 600 }));
    expect(members["expires_in"]).toBeGreaterThan(nowSeconds() + 590);
    expect(members["expires_in"]).toBeLessThanOrEqual(nowSeconds() + 600);
  });

  it.each([
    ["milliseconds", Date.now() + 30_000],
    ["a moment a day ahead", nowSeconds() + 86_399],
    ["a lifetime of a day", 86_399],
  ])("is never longer than was asked for, in response and cache, where Coze tells %s", async (_what, expiresIn) => {
    const fault = answering({ access_token: "czs_x", expires_in: expiresIn });
    const { members, app, worker } = await postWith(fault, { TOKEN_DURATION: 60 });
    const [exchange] = await app.exchanges();
    expect(members["expires_in"]).toBe(Number(exchange?.assertion.claims["iat"]) + 60);

    const next = await worker.post("ada");
    expect(await membersOf(next)).toEqual(members);
    const ttl = Number(/^coze-token-worker; hit; ttl=(\d+)$/.exec(next.headers.get("Cache-Status") ?? "")?.[1]);
    expect(ttl).toBeGreaterThan(50);
    expect(ttl).toBeLessThanOrEqual(60);
  });

  it("is over when Coze says so", async () => {
    const { response, members } = await postWith(answering({ access_token: "czs_x", expires_in: nowSeconds() }));
    expect(response.status).toBe(502);
    expect(members).toMatchObject({ error: "upstream_invalid_response" });
  });
});

describe("a refusal with code 4100", () => {
  it("has the previous key tried once, and says so in the log", async () => {
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

describe("what Coze says", () => {
  it("is cut to 500 characters in response and log", async () => {
    const log = recordLog();
    const body = { error_code: `access_${"c".repeat(1000)}`, error_message: "m".repeat(60_000) };
    const { members } = await postWith(answering(body, 403, { "X-Tt-Logid": "1".repeat(4000) }));
    const coze = {
      status: 403,
      error_code: `access_${"c".repeat(493)}`,
      error_message: "m".repeat(500),
      log_id: expect.stringMatching(/^.{500}$/),
    };
    expect(members["coze"]).toEqual(coze);
    expect(log.events("token_request")).toEqual([expect.objectContaining({ coze })]);
  });

  it("is cut to 500 characters in the log where there is a token", async () => {
    const log = recordLog();
    const fault = answering({ access_token: "czs_x", expires_in: 600 }, 200, { "X-Tt-Logid": "1".repeat(4000) });
    const { response } = await postWith(fault);
    expect(response.status).toBe(200);
    expect(log.events("token_request")).toEqual([
      expect.objectContaining({ coze_log_id: expect.stringMatching(/^.{500}$/) }),
    ]);
  });
});
