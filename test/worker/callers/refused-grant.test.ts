import { beforeAll, describe, it } from "vitest";
import { API_KEY, bearer, expectRefusal, invalidScope, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { bots, permissions } from "../../support/scopes.ts";
import { json, startWorker, type TestWorker } from "../../support/worker.ts";

/** A caller by the key of its name. */
const caller = (name: string, properties: object) => ({ name, key_sha256: sha256(API_KEY + name), ...properties });
const requestOf = (name: string, body?: object) => bearer(API_KEY + name, body && json(body));

let app: TestApp;
let worker: TestWorker;

beforeAll(async () => {
  app = await createTestApp();
  worker = await startWorker({
    ...app.settings,
    CALLERS: [
      caller("two-bots", { bot_ids: ["1", "2"], permissions: ["Connector.botChat"] }),
      caller("other-bots", { bot_ids: ["8", "9"], permissions: ["Connector.botChat"] }),
      caller("long", { max_duration: 7200 }),
    ],
    TOKEN_DURATION: 600,
    TOKEN_SCOPE: { ...bots("1", "2", "3"), ...permissions("Connector.botChat", "Connector.botView") },
  });
});

const BOTS = "attribute_constraint.connector_bot_chat_attribute.bot_id_list";

describe("a request for more than the caller is granted", () => {
  it.each<[string, string, object, string]>([
    [
      "a bot of TOKEN_SCOPE, not of the caller",
      "two-bots",
      { scope: bots("3") },
      `The scope property ${BOTS} asks for more than is granted.`,
    ],
    ["a longer life than TOKEN_DURATION", "long", { duration_seconds: 601 }, "more than the 600 seconds"],
  ])("refuses a request for more than the caller is granted: %s", async (_what, name, body, description) => {
    await expectRefusal(await worker.post(undefined, requestOf(name, body)), app, invalidScope(description));
  });

  it("refuses every request of a caller that has no bots in common with TOKEN_SCOPE", async () => {
    await expectRefusal(
      await worker.post(undefined, requestOf("other-bots")),
      app,
      invalidScope("The caller other-bots is granted nothing: its rule and TOKEN_SCOPE have nothing in common."),
    );
  });
});
