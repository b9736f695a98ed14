import { beforeEach, describe, expect, it } from "vitest";
import { API_KEY, bearer, expectRefusal, invalidClient, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import type { Reply } from "../../support/stand-in-server.ts";
import { createTestWidget, SOLVED, type TestWidget } from "../../support/turnstile.ts";
import { json, startWorker, type TestWorker } from "../../support/worker.ts";

const visitors = {
  name: "visitors",
  anonymous: true,
  turnstile: true,
  turnstile_hostname: "app.example.com",
  turnstile_action: "chat",
};
const callers = [{ name: "script", key_sha256: sha256(API_KEY) }, visitors];

let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
});

const start = (widget: TestWidget, settings: object = {}): Promise<TestWorker> =>
  startWorker({ ...app.settings, ...widget.settings, CALLERS: callers, ...settings });

const solvedBy = (response: string, headers: object = {}): RequestInit => ({
  headers: { "cf-turnstile-response": response, ...headers },
});

const solvedInBoth = (header: string, body: string): RequestInit => ({
  ...solvedBy(header, { "Content-Type": "application/json" }),
  body: JSON.stringify({ "cf-turnstile-response": body }),
});

describe("a visitor", () => {
  it("grants a visitor a token for a solved challenge in a header", async () => {
    const widget = await createTestWidget({ "0.solved": SOLVED });
    const worker = await start(widget);
    const response = await worker.post(undefined, solvedBy("0.solved", { "CF-Connecting-IP": "203.0.113.7" }));
    expect(response.status).toBe(200);
    expect(await widget.received()).toEqual([
      { secret: widget.settings.TURNSTILE_SECRET_KEY, response: "0.solved", remoteip: "203.0.113.7" },
    ]);
  });

  it("grants a visitor a token for a solved challenge in the body", async () => {
    const widget = await createTestWidget({ "0.solved": SOLVED });
    const worker = await start(widget);
    const body = json({ "cf-turnstile-response": "0.solved", duration_seconds: 60 });
    expect((await worker.post(undefined, body)).status).toBe(200);
    expect(await widget.received()).toEqual([{ secret: widget.settings.TURNSTILE_SECRET_KEY, response: "0.solved" }]);
    expect((await app.exchanges()).map(({ body }) => body["duration_seconds"])).toEqual([60]);
  });

  it("does not use up a challenge for a request that asks for more than is granted", async () => {
    const widget = await createTestWidget({ "0.solved": SOLVED });
    const worker = await start(widget);
    const response = await worker.post(undefined, json({ "cf-turnstile-response": "0.solved", duration_seconds: 901 }));
    expect(response.status).toBe(400);
    expect(await widget.received()).toEqual([]);
    expect((await worker.post(undefined, solvedBy("0.solved"))).status).toBe(200);
  });

  it("verifies the challenge in the header when header and body have one", async () => {
    const widget = await createTestWidget({ header: SOLVED, body: SOLVED });
    const worker = await start(widget);
    expect((await worker.post(undefined, solvedInBoth("header", "body"))).status).toBe(200);
    expect((await widget.received()).map(({ response }) => response)).toEqual(["header"]);
  });

  it("grants a token for a challenge of any page and action when the caller names none", async () => {
    const widget = await createTestWidget({ "0.solved": { hostname: "elsewhere.example", action: "login" } });
    const anyPage = { name: "visitors", anonymous: true, turnstile: true };
    const worker = await start(widget, { CALLERS: [anyPage] });
    expect((await worker.post(undefined, solvedBy("0.solved"))).status).toBe(200);
  });

  it("requires a solved challenge for each token, cached or not", async () => {
    const widget = await createTestWidget({ first: SOLVED, second: SOLVED });
    const worker = await start(widget);
    expect((await worker.post("ada", solvedBy("first"))).status).toBe(200);
    expect((await worker.post("ada", solvedBy("first"))).status).toBe(401);
    const second = await worker.post("ada", solvedBy("second"));
    expect(second.status).toBe(200);
    expect(second.headers.get("Cache-Status")).toContain("hit");
  });

  it("serves no cached token of another visitor without a solved challenge", async () => {
    const widget = await createTestWidget({ first: SOLVED });
    const worker = await start(widget);
    await worker.post("ada", solvedBy("first"));
    const response = await worker.post("ada");
    expect(response.status).toBe(401);
    expect(await response.text()).not.toContain("czs_");
  });
});

describe("an API key", () => {
  it("grants an API key a token without a challenge or a request to Turnstile", async () => {
    const widget = await createTestWidget({});
    const worker = await start(widget);
    expect((await worker.post("ada", bearer(API_KEY, solvedBy("anything")))).status).toBe(200);
    expect(await widget.received()).toEqual([]);
  });
});

describe("a visitor's response", () => {
  it.each<[string, RequestInit, string]>([
    ["missing", {}, "The Turnstile response is missing: send it in the header cf-turnstile-response."],
    ["empty", solvedBy(""), "is missing"],
    ["empty in the body", json({ "cf-turnstile-response": "" }), "is missing"],
    ["empty in the header, and solved in the body", solvedInBoth("", "x"), "is"],
    ["under another name", { headers: { "g-recaptcha-response": "x" } }, "is missing"],
    ["of 2049 characters", solvedBy("x".repeat(2049)), "is longer than 2048 characters"],
  ])("refuses a Turnstile response without a request to Turnstile: %s", async (_what, init, description) => {
    const widget = await createTestWidget({ x: SOLVED });
    const worker = await start(widget);
    await expectRefusal(await worker.post(undefined, init), app, invalidClient(description));
    expect(await widget.received()).toEqual([]);
  });

  it("refuses a Turnstile response in the body that is not a string", async () => {
    const worker = await start(await createTestWidget({}));
    await expectRefusal(await worker.post(undefined, json({ "cf-turnstile-response": 1 })), app, {
      status: 400,
      error: "invalid_request",
      description: "cf-turnstile-response must be a string",
    });
  });

  const solved = {
    expired: { ...SOLVED, expired: true as const },
    elsewhere: { ...SOLVED, hostname: "evil.example" },
    below: { ...SOLVED, hostname: "x.app.example.com" },
    login: { ...SOLVED, action: "login" },
    capital: { ...SOLVED, action: "Chat" },
  };
  it.each<[string, string, string]>([
    ["unknown", "unknown", "The Turnstile response was refused: solve a new challenge."],
    ["of 2048 characters", "x".repeat(2048), "was refused"],
    ["expired", "expired", "has expired, or was used before: solve a new challenge"],
    ["of another host name", "elsewhere", "is of another host name"],
    ["of a host name below", "below", "is of another host name"],
    ["of another action", "login", "is of another action"],
    ["of an action in another case", "capital", "is of another action"],
  ])("refuses a Turnstile response: %s", async (_what, response, description) => {
    const worker = await start(await createTestWidget(solved));
    await expectRefusal(await worker.post(undefined, solvedBy(response)), app, invalidClient(description));
  });

  it("refuses a Turnstile response that was used before", async () => {
    const widget = await createTestWidget({ "0.solved": SOLVED });
    const elsewhere = await createTestApp();
    const first = await start(widget, elsewhere.settings);
    expect((await first.post(undefined, solvedBy("0.solved"))).status).toBe(200);
    const second = await start(widget);
    await expectRefusal(
      await second.post(undefined, solvedBy("0.solved")),
      app,
      invalidClient("has expired, or was used before"),
    );
  });

  const success = (properties: object): Reply => ({ body: JSON.stringify({ success: true, ...properties }) });
  it.each<[string, Reply, string]>([
    ["the host name left out", success({ action: "chat" }), "is of another host name"],
    ["the action left out", success({ hostname: "app.example.com" }), "is of another action"],
    ["success beside a fault", success({ "error-codes": ["timeout-or-duplicate"] }), "has expired, or was used before"],
    ["no reason", { body: '{"success":false}' }, "was refused"],
    ["a bad request", { body: '{"success":false,"error-codes":["bad-request"]}' }, "was refused"],
  ])("refuses a Turnstile response when the verdict of Turnstile has %s", async (_what, reply, description) => {
    const worker = await start(await createTestWidget({}, reply));
    await expectRefusal(await worker.post(undefined, solvedBy("0.solved")), app, invalidClient(description));
  });
});
