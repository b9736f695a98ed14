import { afterEach, describe, expect, it } from "vitest";
import { API_KEY, bearer, expectGrant, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { bots, permissions } from "../../support/scopes.ts";
import { json, startWorker } from "../../support/worker.ts";

let app: TestApp;

/** What Coze is asked for by a caller with these properties, under these settings, who sends this body. */
async function requestedBy(properties: object, settings: object = {}, body?: object): Promise<Record<string, unknown>> {
  app = await createTestApp();
  const caller = { name: "script", key_sha256: sha256(API_KEY), ...properties };
  const worker = await startWorker({ ...app.settings, CALLERS: [caller], ...settings });
  const { session_name: _session, ...requested } = await expectGrant(
    app,
    worker.post("ada", bearer(API_KEY, body && json(body))),
  );
  return requested;
}

afterEach(async () => {
  expect(await app.exchanges()).toHaveLength(1);
});

const chat = "Connector.botChat";
const view = "Connector.botView";

describe("the scope that Coze is asked for", () => {
  const both = { bot_ids: ["1", "2"], permissions: [chat, view] };
  const common = { ...permissions(view), ...bots("2", "3") };
  it.each<[string, object, object | undefined, object | undefined, object]>([
    [
      "the caller's permissions and bots",
      both,
      undefined,
      undefined,
      { ...permissions(chat, view), ...bots("1", "2") },
    ],
    ["TOKEN_SCOPE for a caller without limits", {}, permissions(chat), undefined, permissions(chat)],
    ["what caller and TOKEN_SCOPE have in common", both, common, undefined, { ...permissions(view), ...bots("2") }],
    ["less, as the body asks", both, undefined, bots("1"), { ...permissions(chat, view), ...bots("1") }],
  ])("requests from Coze the scope %s", async (_what, properties, tokenScope, asked, scope) => {
    const body = asked && { scope: asked };
    expect(await requestedBy(properties, { TOKEN_SCOPE: tokenScope }, body)).toEqual({ duration_seconds: 900, scope });
  });
});

describe("the life that Coze is asked for", () => {
  it.each<[string, object, object, number]>([
    ["TOKEN_DURATION for a caller without limits", {}, { TOKEN_DURATION: 600 }, 600],
    ["max_duration below TOKEN_DURATION", { max_duration: 300 }, { TOKEN_DURATION: 600 }, 300],
  ])("requests from Coze the duration %s", async (_what, properties, settings, seconds) => {
    expect(await requestedBy(properties, settings)).toEqual({ duration_seconds: seconds });
  });
});
