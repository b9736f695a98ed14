import { describe, expect, it } from "vitest";
import {
  type CozeScope,
  canonicalScope,
  intersectScopes,
  narrowScope,
  parseCozeScope,
} from "../../src/core/coze-scope.ts";

const scope: CozeScope = {
  account_permission: { permission_list: ["Connector.botChat", "Connector.botManage"] },
  attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1", "2"] } },
};

const notGranted = (path: string) =>
  expect.objectContaining({ code: "invalid_scope", message: expect.stringContaining(path) });

describe("parseCozeScope", () => {
  it.each<[string, CozeScope]>([
    ["permissions and bots", scope],
    ["permissions alone", { account_permission: { permission_list: ["a"] } }],
    ["bots alone", { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1"] } } }],
    ["a workspace", { workspace_permission: { workspace_id_list: ["1"], permission_list: ["a"] } }],
    ["a workflow", { workflow_permission: { workflow_id_list: ["1"], permission_list: ["a"] } }],
    ["half a workflow", { workflow_permission: { permission_list: ["a"] } }],
  ])("accepts %s", (_what, value) => {
    expect(parseCozeScope(value)).toEqual({ scope: value });
  });

  it.each([
    ["null", null, "", "must be an object"],
    ["a text", "Connector.botChat", "", "must be an object"],
    ["a list", [], "", "must be an object"],
    ["nothing at all", undefined, "", "must be an object"],
    [
      "no member",
      {},
      "",
      "must have at least one of account_permission, attribute_constraint, workspace_permission, workflow_permission",
    ],
    ["an unknown group", { permission_list: ["a"] }, "permission_list", "is not a member"],
    ["an inherited name", JSON.parse('{"__proto__":{}}'), "__proto__", "is not a member"],
    ["an inherited name", { toString: {} }, "toString", "is not a member"],
    ["a group that is a list", { account_permission: ["a"] }, "account_permission", "must be an object"],
    ["an empty group", { account_permission: {} }, "account_permission", "must have at least one of permission_list"],
    ["an unknown list", { account_permission: { bots: ["1"] } }, "account_permission.bots", "is not a member"],
    [
      "an empty list",
      { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: [] } } },
      "attribute_constraint.connector_bot_chat_attribute.bot_id_list",
      "must be a list",
    ],
    [
      "a text in place of a list",
      { account_permission: { permission_list: "a" } },
      "account_permission.permission_list",
      "must be a list",
    ],
    [
      "a number in a list",
      { account_permission: { permission_list: [1] } },
      "account_permission.permission_list",
      "must be a list",
    ],
    [
      "one number among texts",
      { account_permission: { permission_list: ["a", 1] } },
      "account_permission.permission_list",
      "must be a list",
    ],
    [
      "an empty list of workspaces",
      { workspace_permission: { workspace_id_list: [] } },
      "workspace_permission.workspace_id_list",
      "must be a list",
    ],
    [
      "an empty list of rights in them",
      { workspace_permission: { permission_list: [] } },
      "workspace_permission.permission_list",
      "must be a list",
    ],
    [
      "an empty list of workflows",
      { workflow_permission: { workflow_id_list: [] } },
      "workflow_permission.workflow_id_list",
      "must be a list",
    ],
    [
      "an empty list of rights to them",
      { workflow_permission: { permission_list: [] } },
      "workflow_permission.permission_list",
      "must be a list",
    ],
    [
      "an empty item",
      { account_permission: { permission_list: [""] } },
      "account_permission.permission_list",
      "must be a list",
    ],
  ])("refuses %s", (_what, value, path, problem) => {
    expect(parseCozeScope(value)).toEqual({
      faults: expect.arrayContaining([{ path, problem: expect.stringContaining(problem) }]),
    });
  });

  it("reports every fault at once", () => {
    expect(parseCozeScope({ account_permission: {}, extra: 1 })).toEqual({
      faults: [
        { path: "account_permission", problem: "must have at least one of permission_list" },
        { path: "extra", problem: "is not a member of the Coze scope object" },
      ],
    });
  });
});

describe("narrowScope", () => {
  it("grants what is asked when everything is granted", () => {
    expect(narrowScope(undefined, scope)).toBe(scope);
  });

  it("grants everything granted when nothing less is asked", () => {
    expect(narrowScope(scope, undefined)).toBe(scope);
    expect(narrowScope(undefined, undefined)).toBeUndefined();
  });

  it("takes the asked part of a list and leaves the other lists as granted", () => {
    const asked: CozeScope = { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["2"] } } };
    expect(narrowScope(scope, asked)).toEqual({ ...scope, ...asked });
  });

  it.each<[string, CozeScope, string]>([
    [
      "another bot",
      { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["3"] } } },
      "attribute_constraint.connector_bot_chat_attribute.bot_id_list",
    ],
    [
      "one more bot",
      { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1", "2", "3"] } } },
      "attribute_constraint.connector_bot_chat_attribute.bot_id_list",
    ],
    ["another permission", { account_permission: { permission_list: ["x"] } }, "account_permission.permission_list"],
    [
      "rights in a workspace",
      { workspace_permission: { permission_list: ["Connector.botChat"] } },
      "workspace_permission.permission_list",
    ],
  ])("refuses %s", (_what, asked, path) => {
    expect(() => narrowScope(scope, asked)).toThrow(notGranted(path));
  });

  it("may bind granted permissions to bots", () => {
    const granted: CozeScope = { account_permission: { permission_list: ["a"] } };
    const asked: CozeScope = { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1"] } } };
    expect(narrowScope(granted, asked)).toEqual({ ...granted, ...asked });
  });

  it("may pick permissions where the grant binds to bots only", () => {
    const granted: CozeScope = { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1"] } } };
    const asked: CozeScope = { account_permission: { permission_list: ["a"] } };
    expect(narrowScope(granted, asked)).toEqual({ ...granted, ...asked });
  });

  it("may bind the granted rights of workspaces to some of them", () => {
    const granted: CozeScope = { workspace_permission: { permission_list: ["a", "b"] } };
    const asked: CozeScope = { workspace_permission: { workspace_id_list: ["1"], permission_list: ["a"] } };
    expect(narrowScope(granted, asked)).toEqual(asked);
  });
});

describe("intersectScopes", () => {
  const bots = (...ids: string[]): CozeScope => ({
    attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ids } },
  });
  const permissions = (...names: string[]): CozeScope => ({ account_permission: { permission_list: names } });
  const workspaces = (...names: string[]): CozeScope => ({ workspace_permission: { permission_list: names } });
  const intersect = (first: CozeScope | undefined, second: CozeScope | undefined) =>
    intersectScopes(first, second, "Nothing is left");

  it.each<[string, CozeScope | undefined, CozeScope | undefined, CozeScope | undefined]>([
    ["nothing where neither limits", undefined, undefined, undefined],
    ["the first where it alone limits", scope, undefined, scope],
    ["the second where it alone limits", undefined, scope, scope],
    ["equal scopes as they are", scope, scope, scope],
    ["the items that both have", bots("1", "2", "3"), bots("3", "4", "2"), bots("3", "2")],
    [
      "a list of rights and a list of bots together",
      permissions("a"),
      bots("1"),
      { ...permissions("a"), ...bots("1") },
    ],
    ["the same the other way about", bots("1"), permissions("a"), { ...permissions("a"), ...bots("1") }],
    [
      "the rest of the first",
      { ...permissions("a", "b"), ...bots("1") },
      permissions("b"),
      { ...permissions("b"), ...bots("1") },
    ],
    ["the bots within rights of another kind", workspaces("a"), bots("1"), { ...workspaces("a"), ...bots("1") }],
    [
      "the workspaces that the rights are bound to",
      { workspace_permission: { permission_list: ["a", "b"] } },
      { workspace_permission: { workspace_id_list: ["1"], permission_list: ["b"] } },
      { workspace_permission: { workspace_id_list: ["1"], permission_list: ["b"] } },
    ],
  ])("leaves %s", (_what, first, second, expected) => {
    expect(intersect(first, second)).toEqual(expected);
  });

  it.each<[string, CozeScope, CozeScope, string]>([
    ["bots", bots("1"), bots("2"), "attribute_constraint.connector_bot_chat_attribute.bot_id_list"],
    ["permissions", permissions("a"), permissions("A"), "account_permission.permission_list"],
    [
      "permissions, though the bots do",
      { ...permissions("a"), ...bots("1") },
      { ...permissions("b"), ...bots("1") },
      "account",
    ],
    ["kinds of rights", workspaces("a"), permissions("a"), "account_permission.permission_list"],
  ])("refuses what has no %s in common", (_what, first, second, path) => {
    expect(() => intersect(first, second)).toThrow(notGranted(`Nothing is left: no ${path}`));
  });

  it("changes neither of them", () => {
    const [first, second] = [bots("1", "2"), bots("2", "3")];
    intersect(first, second);
    expect([first, second]).toEqual([bots("1", "2"), bots("2", "3")]);
  });
});

describe("canonicalScope", () => {
  it("has one text per meaning, whatever the order and repetition", () => {
    const same: CozeScope = {
      attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["2", "1", "2"] } },
      account_permission: { permission_list: ["Connector.botManage", "Connector.botChat"] },
    };
    expect(canonicalScope(same)).toBe(canonicalScope(scope));
  });

  it("tells apart lists that differ in an item, in their place, or in being there", () => {
    const texts = [
      undefined,
      scope,
      { account_permission: { permission_list: ["1"] } },
      { account_permission: { permission_list: ["1", "2"] } },
      { account_permission: { permission_list: ["1,2"] } },
      { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1"] } } },
      { workspace_permission: { permission_list: ["1"] } },
      { workspace_permission: { workspace_id_list: ["1"] } },
      { workflow_permission: { workflow_id_list: ["1"] } },
    ].map(canonicalScope);
    expect(new Set(texts).size).toBe(texts.length);
  });
});
