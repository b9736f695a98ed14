import { beforeAll, describe, it } from "vitest";
import { API_KEY, bearer, expectRefusal, invalidScope, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { json, startWorker, type TestWorker } from "../../support/worker.ts";

const bots = (...ids: string[]) => ({ attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ids } } });
const permissions = (...names: string[]) => ({ account_permission: { permission_list: names } });

/** A caller by the key of his name. */
const caller = (name: string, members: object) => ({ name, key_sha256: sha256(API_KEY + name), ...members });
const asking = (name: string, body?: object) => bearer(API_KEY + name, body && json(body));

let app: TestApp;
let limited: TestWorker;
let unlimited: TestWorker;

beforeAll(async () => {
  app = await createTestApp();
  const callers = [
    caller("two-bots", { bot_ids: ["1", "2"], permissions: ["Connector.botChat"] }),
    caller("all", {}),
    caller("chat-only", { permissions: ["Connector.botChat"] }),
    caller("other-bots", { bot_ids: ["8", "9"], permissions: ["Connector.botChat"] }),
    caller("other-permissions", { permissions: ["Connector.botManage"] }),
    caller("brief", { max_duration: 300 }),
    caller("long", { max_duration: 7200 }),
  ];
  unlimited = await startWorker({ ...app.settings, CALLERS: callers });
  limited = await startWorker({
    ...app.settings,
    CALLERS: callers,
    TOKEN_DURATION: 600,
    TOKEN_SCOPE: { ...bots("1", "2", "3"), ...permissions("Connector.botChat", "Connector.botView") },
  });
});

const BOTS = "attribute_constraint.connector_bot_chat_attribute.bot_id_list";
const PERMISSIONS = "account_permission.permission_list";

describe("a request for more than the caller is granted", () => {
  it.each<[string, string, object, string]>([
    ["another bot", "two-bots", { scope: bots("3") }, `The scope property ${BOTS} asks for more than is granted.`],
    ["one bot more", "two-bots", { scope: bots("1", "2", "3") }, `${BOTS} asks for more`],
    ["a constraint without rights", "all", { scope: bots("2") }, "The scope names no permissions"],
    ["another permission", "chat-only", { scope: permissions("Connector.botView") }, `${PERMISSIONS} asks for more`],
    [
      "rights in a workspace",
      "chat-only",
      { scope: { workspace_permission: { permission_list: ["Connector.botChat"] } } },
      "workspace_permission.permission_list asks for more",
    ],
    ["a longer life", "brief", { duration_seconds: 301 }, "more than the 300 seconds that are granted"],
    ["a longer life than the settings allow", "long", { duration_seconds: 901 }, "more than the 900 seconds"],
  ])("is refused: %s", async (_what, name, body, description) => {
    await expectRefusal(await unlimited.post(undefined, asking(name, body)), app, invalidScope(description));
  });

  it.each<[string, string, object, string]>([
    ["a bot of TOKEN_SCOPE, not of the caller", "two-bots", { scope: bots("3") }, `${BOTS} asks for more`],
    ["a bot of neither", "two-bots", { scope: bots("7") }, `${BOTS} asks for more`],
    [
      "a permission of TOKEN_SCOPE, not of the caller",
      "two-bots",
      { scope: permissions("Connector.botView") },
      `${PERMISSIONS} asks for more`,
    ],
    ["a permission of neither", "chat-only", { scope: permissions("x") }, `${PERMISSIONS} asks for more`],
    ["a longer life than TOKEN_DURATION", "long", { duration_seconds: 601 }, "more than the 600 seconds"],
    ["a longer life than the caller's", "brief", { duration_seconds: 600 }, "more than the 300 seconds"],
  ])("is refused where TOKEN_SCOPE and TOKEN_DURATION limit too: %s", async (_what, name, body, description) => {
    await expectRefusal(await limited.post(undefined, asking(name, body)), app, invalidScope(description));
  });

  it.each<[string, string, string]>([
    [
      "bots",
      "other-bots",
      "The caller other-bots is granted nothing: its rule and TOKEN_SCOPE have nothing in common.",
    ],
    ["permissions", "other-permissions", "The caller other-permissions is granted nothing"],
  ])("is refused where caller and TOKEN_SCOPE have no %s in common", async (_what, name, description) => {
    await expectRefusal(await limited.post(undefined, asking(name)), app, invalidScope(description));
  });

  it("is refused where TOKEN_SCOPE grants rights of another kind than the caller's", async () => {
    const worker = await startWorker({
      ...app.settings,
      CALLERS: [caller("chat-only", { permissions: ["Connector.botChat"] })],
      TOKEN_SCOPE: { workspace_permission: { permission_list: ["Connector.botChat"] } },
    });
    const response = await worker.post(undefined, asking("chat-only"));
    await expectRefusal(response, app, invalidScope("The caller chat-only is granted nothing"));
  });
});
