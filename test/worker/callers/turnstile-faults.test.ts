import { describe, expect, it } from "vitest";
import { API_KEY, bearer, expectRefusal, sha256, unavailable } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import type { Reply } from "../../support/stand-in-server.ts";
import { createTestWidget, SOLVED, type TestWidget } from "../../support/turnstile.ts";
import { startWorker, type TestWorker } from "../../support/worker.ts";

const callers = [
  { name: "script", key_sha256: sha256(API_KEY) },
  { name: "visitors", anonymous: true, turnstile: true },
];

async function start(widget: TestWidget, settings: object = {}): Promise<{ app: TestApp; worker: TestWorker }> {
  const app = await createTestApp();
  const worker = await startWorker({ ...app.settings, ...widget.settings, CALLERS: callers, ...settings });
  return { app, worker };
}

const solvedBy = (response: string): RequestInit => ({ headers: { "cf-turnstile-response": response } });

describe.concurrent("a siteverify that gives no verdict", () => {
  it.each<[string, Reply]>([
    ["down", { status: 503 }],
    ["gone", { drop: true }],
    ["an internal error", { body: '{"success":false,"error-codes":["internal-error"]}' }],
    ["HTML", { headers: { "Content-Type": "text/html" }, body: "<html></html>" }],
    ["broken JSON", { body: '{"success":' }],
    ["nothing", { body: "" }],
    ["a list", { body: "[]" }],
    ["null", { body: "null" }],
    ["success as a string", { body: '{"success":"true"}' }],
    ["no success", { body: '{"hostname":"app.example.com","action":"chat"}' }],
    ["a redirect", { status: 302, headers: { Location: "https://evil.example/" } }],
    ["success under an error status", { status: 500, body: '{"success":true}' }],
    ["more than anybody needs", { body: JSON.stringify({ success: true, more: "x".repeat(300_000) }) }],
  ])(
    "responds with 503 to visitors, and serves everybody else, when Turnstile gives no verdict: %s",
    async (_what, reply) => {
      const { app, worker } = await start(await createTestWidget({}, reply));
      const refusal = unavailable("Turnstile is unavailable. Try again.");
      await expectRefusal(await worker.post(undefined, solvedBy("0.solved")), app, refusal);
      expect((await worker.post(undefined, bearer(API_KEY))).status).toBe(200);
    },
  );

  it("gives up on Turnstile when nothing listens there", async () => {
    const { app, worker } = await start(await createTestWidget({}), {
      TURNSTILE_ENDPOINT: "http://127.0.0.1:1/siteverify",
    });
    const response = await worker.post(undefined, solvedBy("0.solved"));
    await expectRefusal(response, app, unavailable("Turnstile is unavailable"));
  });

  it("gives up on Turnstile after five seconds", async () => {
    const { app, worker } = await start(await createTestWidget({}, { hang: true }));
    const response = await worker.post(undefined, solvedBy("0.solved"));
    await expectRefusal(response, app, unavailable("Turnstile is unavailable"));
  }, 10_000);

  it("waits for Turnstile when it is merely slow", async () => {
    const reply = { delay_ms: 300, body: JSON.stringify({ success: true, ...SOLVED }) };
    const { worker } = await start(await createTestWidget({}, reply));
    expect((await worker.post(undefined, solvedBy("0.solved"))).status).toBe(200);
  });

  it.each(["invalid-input-secret", "missing-input-secret"])(
    "reports TURNSTILE_SECRET_KEY when Turnstile does not accept it: %s",
    async (code) => {
      const reply = { body: JSON.stringify({ success: false, "error-codes": [code] }) };
      const { app, worker } = await start(await createTestWidget({}, reply));
      await expectRefusal(
        await worker.post(undefined, solvedBy("0.solved")),
        app,
        {
          status: 500,
          error: "server_misconfigured",
          description: "The settings of this service need fixing: TURNSTILE_SECRET_KEY.",
        },
        { problems: [{ setting: "TURNSTILE_SECRET_KEY", problem: "is not accepted by Turnstile" }] },
      );
    },
  );

  it("responds with 500 when TURNSTILE_SECRET_KEY is that of another widget, without its value", async () => {
    const { app, worker } = await start(await createTestWidget({ "0.solved": SOLVED }), {
      TURNSTILE_SECRET_KEY: "hunter2",
    });
    const response = await worker.post(undefined, solvedBy("0.solved"));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("hunter2");
    expect(await app.exchanges()).toEqual([]);
  });
});
