import { describe, expect, it } from "vitest";
import { narrowScope } from "../../../../src/core/grant/combine-scopes.ts";
import { type CozeScope, parseCozeScope, parseRequestedScope } from "../../../../src/core/grant/coze-scope.ts";
import { bots, permissions } from "../../../support/scopes.ts";

const PERMISSIONS = "account_permission.permission_list";
const BOTS = "attribute_constraint.connector_bot_chat_attribute.bot_id_list";

const scope: CozeScope = { ...permissions("Connector.botChat", "Connector.botManage"), ...bots("1", "2") };

describe("parseCozeScope", () => {
  it.each<[string, CozeScope]>([
    ["permissions and bots", scope],
    ["permissions alone", permissions("a")],
    ["bots alone", bots("1")],
    ["a workspace", { workspace_permission: { workspace_id_list: ["1"], permission_list: ["a"] } }],
    ["a workflow", { workflow_permission: { workflow_id_list: ["1"], permission_list: ["a"] } }],
    ["half a workflow", { workflow_permission: { permission_list: ["a"] } }],
  ])("accepts a scope of %s", (_what, value) => {
    expect(parseCozeScope(value)).toEqual({ value });
  });

  const list = "must be a list of at least one non-empty string";
  it.each<[string, unknown, string, string]>([
    ["null", null, "", "must be an object"],
    ["a string", "Connector.botChat", "", "must be an object"],
    ["a list", [], "", "must be an object"],
    ["nothing at all", undefined, "", "must be an object"],
    ["no property", {}, "", "must have at least one of account_permission, attribute_constraint, workspace_"],
    ["an unknown group", { permission_list: ["a"] }, "permission_list", "is not a property"],
    ["an inherited name", JSON.parse('{"__proto__":{}}'), "__proto__", "is not a property"],
    ["an inherited name", { toString: {} }, "toString", "is not a property"],
    ["a group that is a list", { account_permission: ["a"] }, "account_permission", "must be an object"],
    ["an empty group", { account_permission: {} }, "account_permission", "must have at least one of permission_list"],
    ["an unknown list", { account_permission: { bots: ["1"] } }, "account_permission.bots", "is not a property"],
    ["a string instead of a list", { account_permission: { permission_list: "a" } }, PERMISSIONS, list],
    ["a number in a list", { account_permission: { permission_list: [1] } }, PERMISSIONS, list],
    ["one number among strings", { account_permission: { permission_list: ["a", 1] } }, PERMISSIONS, list],
    ["an empty item", permissions(""), PERMISSIONS, list],
  ])("refuses a value that is no scope: %s", (_what, value, path, message) => {
    expect(parseCozeScope(value)).toEqual({
      issues: expect.arrayContaining([{ path, message: expect.stringContaining(message) }]),
    });
  });

  it.each([
    PERMISSIONS,
    BOTS,
    "workspace_permission.workspace_id_list",
    "workspace_permission.permission_list",
    "workflow_permission.workflow_id_list",
    "workflow_permission.permission_list",
  ])("refuses a scope whose %s is empty", (path) => {
    const empty = path.split(".").reduceRight<unknown>((inner, name) => ({ [name]: inner }), []);
    expect(parseCozeScope(empty)).toEqual({ issues: [{ path, message: list }] });
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
  it("grants the whole scope when nothing less is requested", () => {
    expect(narrowScope(scope, undefined)).toBe(scope);
    expect(narrowScope(undefined, undefined)).toBeUndefined();
  });

  it("narrows a list to the requested items, and leaves the other lists as granted", () => {
    expect(narrowScope(scope, bots("2"))).toEqual({ ...scope, ...bots("2") });
  });

  it.each<[string, CozeScope | undefined, CozeScope, string]>([
    ["another bot", scope, bots("3"), BOTS],
    ["one more bot", scope, bots("1", "2", "3"), BOTS],
    ["another permission", scope, permissions("x"), PERMISSIONS],
    [
      "another group",
      scope,
      { workflow_permission: { permission_list: ["x"] } },
      "workflow_permission.permission_list",
    ],
    ["a right when none is named", bots("1"), permissions("a"), PERMISSIONS],
    ["a constraint without rights", undefined, bots("1"), "The scope names no permissions"],
  ])("refuses a request beyond the granted scope: %s", (_what, granted, requested, description) => {
    expect(() => narrowScope(granted, requested)).toThrow(
      expect.objectContaining({ code: "invalid_scope", message: expect.stringContaining(description) }),
    );
  });
});
