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
  it.each<[string, object, object | undefined, object | undefined]>([
    ["none for a caller without limits", {}, undefined, undefined],
    ["the caller's permissions and bots", both, undefined, { ...permissions(chat, view), ...bots("1", "2") }],
    ["TOKEN_SCOPE for a caller without limits", {}, permissions(chat), permissions(chat)],
    [
      "what caller and TOKEN_SCOPE have in common",
      both,
      { ...permissions(view), ...bots("2", "3") },
      { ...permissions(view), ...bots("2") },
    ],
  ])("requests from Coze the scope %s", async (_what, properties, tokenScope, scope) => {
    expect(await requestedBy(properties, { TOKEN_SCOPE: tokenScope })).toEqual({
      duration_seconds: 900,
      ...(scope && { scope }),
    });
  });

  it.each<[string, object, object | undefined, object, object]>([
    ["one of the caller's bots", both, undefined, bots("2"), { ...permissions(chat, view), ...bots("2") }],
    [
      "one of the bots that caller and TOKEN_SCOPE have in common",
      both,
      { ...permissions(chat, view), ...bots("3", "2", "1") },
      bots("1"),
      { ...permissions(chat, view), ...bots("1") },
    ],
    ["any scope, where neither limits it", {}, undefined, permissions(chat), permissions(chat)],
  ])("requests from Coze the scope that a body narrows to %s", async (_what, properties, tokenScope, asked, scope) => {
    expect(await requestedBy(properties, { TOKEN_SCOPE: tokenScope }, { scope: asked })).toEqual({
      duration_seconds: 900,
      scope,
    });
  });
});

describe("the life that Coze is asked for", () => {
  it.each<[string, object, object, object | undefined, number]>([
    ["TOKEN_DURATION for a caller without limits", {}, { TOKEN_DURATION: 600 }, undefined, 600],
    ["max_duration below TOKEN_DURATION", { max_duration: 300 }, { TOKEN_DURATION: 600 }, undefined, 300],
    ["TOKEN_DURATION below max_duration", { max_duration: 7200 }, { TOKEN_DURATION: 600 }, undefined, 600],
    ["what the body asks for", { max_duration: 300 }, {}, { duration_seconds: 120 }, 120],
  ])("requests from Coze the duration %s", async (_what, properties, settings, body, seconds) => {
    expect(await requestedBy(properties, settings, body)).toEqual({ duration_seconds: seconds });
  });
});
