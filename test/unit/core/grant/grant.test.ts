import { describe, expect, it } from "vitest";
import type { CozeScope } from "../../../../src/core/grant/coze-scope.ts";
import { type Grant, grantFor } from "../../../../src/core/grant/grant.ts";
import { createCacheKeyFor, type TokenSource } from "../../../../src/core/token/cache-key.ts";

const scope: CozeScope = { account_permission: { permission_list: ["a"] } };
const limits = { durationSeconds: 900, scope };
const cacheKeyFor = (from: TokenSource, of: Grant) => createCacheKeyFor(from)(of);
const source: TokenSource = { clientId: "1", audience: "api.coze.cn", tokenEndpoint: "https://api.coze.cn/token" };

describe("grantFor", () => {
  it("grants the limits to a request that names neither duration nor scope", () => {
    expect(grantFor("ada", {}, limits)).toEqual({ userId: "ada", durationSeconds: 900, scope });
  });

  it.each([60, 900])("grants a duration up to the limit: %d", (durationSeconds) => {
    expect(grantFor(undefined, { durationSeconds }, limits)).toMatchObject({ durationSeconds });
  });

  it("refuses a duration above the limit, and says what is granted", () => {
    expect(() => grantFor(undefined, { durationSeconds: 901 }, limits)).toThrow(
      expect.objectContaining({ code: "invalid_scope", message: expect.stringContaining("900") }),
    );
  });

  it("refuses a scope that is not granted", () => {
    const request = { scope: { account_permission: { permission_list: ["b"] } } };
    expect(() => grantFor(undefined, request, limits)).toThrow(expect.objectContaining({ code: "invalid_scope" }));
  });
});

describe("createCacheKeyFor", () => {
  it("does not change the form of cache keys, so that tokens of an earlier version are found", () => {
    const bound: Grant = {
      userId: "ada",
      durationSeconds: 900,
      scope: {
        attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["2", "1"] } },
        account_permission: { permission_list: ["a"] },
      },
    };
    const prefix = '["1","api.coze.cn","https://api.coze.cn/token"]900';
    expect(cacheKeyFor(source, { ...bound, userId: undefined, scope: undefined })).toBe(prefix);
    expect(cacheKeyFor(source, bound)).toBe(
      `${prefix}[["account_permission.permission_list",["a"]],["attribute_constraint.connector_bot_chat_attribute.bot_id_list",["1","2"]]]=ada`,
    );
  });
});
