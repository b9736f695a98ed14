import { afterEach, describe, expect, it, vi } from "vitest";
import { API_KEY, bearer, sha256 } from "../../support/callers.ts";
import { createTestApp } from "../../support/coze.ts";
import { createTestIssuer } from "../../support/issuer.ts";
import { recordLog } from "../../support/log.ts";
import type { Reply } from "../../support/stand-in-server.ts";
import { createTestWidget, SOLVED } from "../../support/turnstile.ts";
import { json, propertiesOf, startWorker } from "../../support/worker.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the log", () => {
  it("never logs a credential, token, assertion, key or user id", async () => {
    const app = await createTestApp();
    const issuer = await createTestIssuer();
    const log = recordLog();
    const widget = await createTestWidget({ "0.solved": SOLVED });
    const script = { name: "script", key_sha256: sha256(API_KEY) };
    const web = { name: "web", issuer: issuer.issuer, audience: "api" };
    const visitors = { name: "visitors", anonymous: true, turnstile: true };
    const worker = await startWorker({ ...app.settings, ...widget.settings, CALLERS: [script, web, visitors] });
    const jwt = await issuer.sign({ aud: "api", sub: "ada-lovelace" });
    const expired = await issuer.sign({ aud: "api", sub: "ada-lovelace", exp: 1 });
    const unknown = await issuer.sign({ aud: "api", sub: "ada-lovelace" }, { kid: "unknown" });
    const solved = { headers: { "cf-turnstile-response": "0.solved" } };

    const granted = [
      await worker.post("ada-lovelace", bearer(API_KEY)),
      await worker.post("ada-lovelace", bearer(API_KEY)),
      await worker.post(undefined, bearer(jwt)),
      await worker.post("ada-lovelace", solved),
    ];
    for (const response of granted) expect(response.status).toBe(200);
    const refused = [
      await worker.post("ada-lovelace", solved),
      await worker.post("ada-lovelace", bearer("hunter2-key")),
      await worker.post("ada-lovelace", bearer(expired)),
      await worker.post("ada-lovelace", bearer(unknown)),
      await worker.post("grace-hopper", bearer(jwt)),
      await worker.post("ada-lovelace", bearer(API_KEY, json({ rejected_token: "hunter2-token", x: "hunter2" }))),
      await worker.post("ada-lovelace", bearer(API_KEY, json({ [jwt]: 1, [`ctw_hunter2${"x".repeat(36)}`]: 1 }))),
      await worker.post("ada-lovelace", bearer(API_KEY, json({ scope: { [`czs_hunter2${"x".repeat(36)}`]: {} } }))),
    ];
    for (const response of refused) expect(response.ok).toBe(false);

    const text = log.text();
    expect(log.events("token_request")).toHaveLength(12);
    const tokens = await Promise.all(granted.map(async (response) => (await propertiesOf(response))["access_token"]));
    const secrets = [API_KEY, "hunter2", "ada-lovelace", "grace-hopper", "0.solved", "eyJ", "PRIVATE KEY"];
    for (const secret of [...secrets, ...tokens, ...Object.values(widget.settings).slice(0, 1)]) {
      expect(text).not.toContain(secret);
    }
  });

  const quoted: Reply = { headers: { "Content-Type": "application/json" }, body: "hunter2 hunter2 hunter2" };

  it.each(["discovery", "keys"] as const)("does not log a document of an issuer that is not JSON: %s", async (name) => {
    const app = await createTestApp();
    const issuer = await createTestIssuer();
    await issuer.publish(name, quoted);
    const log = recordLog();
    const worker = await startWorker({
      ...app.settings,
      CALLERS: [{ name: "web", issuer: issuer.issuer, audience: "api" }],
    });
    const response = await worker.post(undefined, bearer(await issuer.sign({ aud: "api", sub: "ada" })));
    expect(response.status).toBe(503);
    expect(log.events("token_request")).toEqual([
      expect.objectContaining({ cause: expect.stringContaining("something that is not JSON") }),
    ]);
    expect(log.text()).not.toContain("hunter2");
  });

  it("does not log a response of Turnstile that is not JSON", async () => {
    const app = await createTestApp();
    const widget = await createTestWidget({}, quoted);
    const log = recordLog();
    const visitors = { name: "visitors", anonymous: true, turnstile: true };
    const worker = await startWorker({ ...app.settings, ...widget.settings, CALLERS: [visitors] });
    const response = await worker.post("ada", { headers: { "cf-turnstile-response": "0.solved" } });
    expect(response.status).toBe(503);
    expect(log.events("token_request")).toEqual([
      expect.objectContaining({ cause: expect.stringContaining("something that is not JSON") }),
    ]);
    expect(log.text()).not.toContain("hunter2");
  });
});
