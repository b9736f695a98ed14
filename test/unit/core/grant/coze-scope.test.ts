import { describe, expect, it } from "vitest";
import { combineScopes, narrowScope } from "../../../../src/core/grant/combine-scopes.ts";
import { type CozeScope, parseCozeScope, parseRequestedScope } from "../../../../src/core/grant/coze-scope.ts";
import { canonicalScope, namesRights } from "../../../../src/core/grant/scope-lists.ts";
import { bots, permissions } from "../../../support/scopes.ts";

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
  ])("accepts a scope of %s", (_what, value) => {
    expect(parseCozeScope(value)).toEqual({ value });
  });

  it.each([
    ["null", null, "", "must be an object"],
    ["a string", "Connector.botChat", "", "must be an object"],
    ["a list", [], "", "must be an object"],
    ["nothing at all", undefined, "", "must be an object"],
    [
      "no property",
      {},
      "",
      "must have at least one of account_permission, attribute_constraint, workspace_permission, workflow_permission",
    ],
    ["an unknown group", { permission_list: ["a"] }, "permission_list", "is not a property"],
    ["an inherited name", JSON.parse('{"__proto__":{}}'), "__proto__", "is not a property"],
    ["an inherited name", { toString: {} }, "toString", "is not a property"],
    ["a group that is a list", { account_permission: ["a"] }, "account_permission", "must be an object"],
    ["an empty group", { account_permission: {} }, "account_permission", "must have at least one of permission_list"],
    ["an unknown list", { account_permission: { bots: ["1"] } }, "account_permission.bots", "is not a property"],
    [
      "an empty list",
      { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: [] } } },
      "attribute_constraint.connector_bot_chat_attribute.bot_id_list",
      "must be a list",
    ],
    [
      "a string instead of a list",
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
      "one number among strings",
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
  ])("refuses a value that is no scope: %s", (_what, value, path, message) => {
    expect(parseCozeScope(value)).toEqual({
      issues: expect.arrayContaining([{ path, message: expect.stringContaining(message) }]),
    });
  });

  it("reports every issue of a scope at once", () => {
    expect(parseCozeScope({ account_permission: {}, extra: 1 })).toEqual({
      issues: [
        { path: "account_permission", message: "must have at least one of permission_list" },
        { path: "extra", message: "is not a property of the Coze scope object" },
      ],
    });
  });
});

describe("parseRequestedScope", () => {
  // [["account_permission.permission_list",["…"]]] has 45 characters beside the name.
  it.each([
    ["a", 2003, true],
    ["a", 2004, false],
    ["\u7528", 667, true],
    ["\u7528", 668, false],
  ])("accepts a requested scope of %s %d times: %s", (letter, times, isTaken) => {
    expect("value" in parseRequestedScope(permissions(letter.repeat(times)))).toBe(isTaken);
  });

  it("says how large a requested scope may be", () => {
    expect(parseRequestedScope(permissions("a".repeat(2100)))).toEqual({
      issues: [{ path: "", message: "is larger than 2048 bytes" }],
    });
  });

  it("leaves out repeated items of a requested scope", () => {
    expect(parseRequestedScope(permissions("b", "a", "b"))).toEqual({ value: permissions("b", "a") });
  });

  it("refuses a requested value that is not a scope", () => {
    expect(parseRequestedScope({ a: 1 })).toHaveProperty("issues");
  });
});

describe("narrowScope", () => {
  it("grants the requested scope when everything is granted", () => {
    expect(narrowScope(undefined, scope)).toBe(scope);
  });

  it("grants the whole scope when nothing less is requested", () => {
    expect(narrowScope(scope, undefined)).toBe(scope);
    expect(narrowScope(undefined, undefined)).toBeUndefined();
  });

  it("narrows a list to the requested items, and leaves the other lists as granted", () => {
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
  ])("refuses a request beyond the granted scope: %s", (_what, asked, path) => {
    expect(() => narrowScope(scope, asked)).toThrow(notGranted(path));
  });

  it("lets a request bind granted permissions to bots", () => {
    const granted: CozeScope = { account_permission: { permission_list: ["a"] } };
    const asked: CozeScope = { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1"] } } };
    expect(narrowScope(granted, asked)).toEqual({ ...granted, ...asked });
  });

  it("refuses every right in a request when the granted scope names none", () => {
    const granted: CozeScope = { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1"] } } };
    const asked: CozeScope = { account_permission: { permission_list: ["a"] } };
    expect(() => narrowScope(granted, asked)).toThrow(notGranted("account_permission.permission_list"));
  });

  it("refuses a request for a constraint without rights when everything is granted", () => {
    const asked: CozeScope = { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1"] } } };
    expect(() => narrowScope(undefined, asked)).toThrow(notGranted("The scope names no permissions"));
  });

  it("leaves out granted groups of rights that a request with rights does not name", () => {
    const granted: CozeScope = {
      ...scope,
      workspace_permission: { permission_list: ["Bot.delete"] },
    };
    const asked: CozeScope = { account_permission: { permission_list: ["Connector.botChat"] } };
    expect(narrowScope(granted, asked)).toEqual({ ...asked, attribute_constraint: scope.attribute_constraint });
  });

  it("lets a request bind the granted rights of workspaces to some of them", () => {
    const granted: CozeScope = { workspace_permission: { permission_list: ["a", "b"] } };
    const asked: CozeScope = { workspace_permission: { workspace_id_list: ["1"], permission_list: ["a"] } };
    expect(narrowScope(granted, asked)).toEqual(asked);
  });
});

describe("combineScopes", () => {
  const workspaces = (...names: string[]): CozeScope => ({ workspace_permission: { permission_list: names } });
  const combine = (first: CozeScope | undefined, second: CozeScope | undefined) =>
    combineScopes(first, second, "Nothing is left");

  it.each<[string, CozeScope | undefined, CozeScope | undefined, CozeScope | undefined]>([
    ["nothing where neither limits", undefined, undefined, undefined],
    ["the one that alone limits", scope, undefined, scope],
    ["equal scopes as they are", scope, scope, scope],
    ["the items that both have", bots("1", "2", "3"), bots("3", "2", "4"), bots("2", "3")],
    ["rights beside constraints", permissions("a"), bots("1"), { ...permissions("a"), ...bots("1") }],
    [
      "the constraint of one",
      { ...permissions("a", "b"), ...bots("1") },
      permissions("b"),
      { ...permissions("b"), ...bots("1") },
    ],
    [
      "only the groups that both name",
      { ...permissions("a"), ...workspaces("Bot.delete") },
      permissions("a", "b"),
      permissions("a"),
    ],
    [
      "no group with an empty list",
      { ...permissions("a"), ...workspaces("b") },
      { ...permissions("x"), ...workspaces("b") },
      workspaces("b"),
    ],
    [
      "the workspaces that the rights are bound to",
      { workspace_permission: { permission_list: ["a", "b"] } },
      { workspace_permission: { workspace_id_list: ["1"], permission_list: ["b"] } },
      { workspace_permission: { workspace_id_list: ["1"], permission_list: ["b"] } },
    ],
  ])("combines two scopes to %s, whichever comes first", (_what, first, second, expected) => {
    expect(combine(first, second)).toEqual(expected);
    expect(canonicalScope(combine(second, first))).toBe(canonicalScope(expected));
  });

  it.each<[string, CozeScope, CozeScope]>([
    ["bots", { ...permissions("a"), ...bots("1") }, { ...permissions("a"), ...bots("2") }],
    ["permissions", permissions("a"), permissions("A")],
    ["permissions, though the bots do", { ...permissions("a"), ...bots("1") }, { ...permissions("b"), ...bots("1") }],
    ["groups of rights", workspaces("a"), permissions("a")],
    ["groups of rights, with constraints", { ...workspaces("a"), ...bots("1") }, permissions("a")],
  ])("refuses to combine scopes with no %s in common", (_what, first, second) => {
    expect(() => combine(first, second)).toThrow(notGranted("Nothing is left."));
    expect(() => combine(second, first)).toThrow(notGranted("Nothing is left."));
  });

  it("combines two scopes without changing either", () => {
    const [first, second] = [bots("1", "2"), bots("2", "3")];
    combine(first, second);
    expect([first, second]).toEqual([bots("1", "2"), bots("2", "3")]);
  });
});

describe("namesRights", () => {
  it.each<[CozeScope, boolean]>([
    [scope, true],
    [{ workflow_permission: { workflow_id_list: ["1"] } }, true],
    [{ attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1"] } } }, false],
  ])("tells whether the scope %j names rights: %s", (value, expected) => {
    expect(namesRights(value)).toBe(expected);
  });
});

describe("canonicalScope", () => {
  it("writes scopes of one meaning in one canonical form, whatever the order and repetition", () => {
    const same: CozeScope = {
      attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["2", "1", "2"] } },
      account_permission: { permission_list: ["Connector.botManage", "Connector.botChat"] },
    };
    expect(canonicalScope(same)).toBe(canonicalScope(scope));
  });

  it("writes different canonical scopes for lists that differ in an item, place or presence", () => {
    const strings = [
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
    expect(new Set(strings).size).toBe(strings.length);
  });
});
