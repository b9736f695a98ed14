import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CozeScope } from "../../../../src/core/grant/coze-scope.ts";
import type { Grant } from "../../../../src/core/grant/grant.ts";
import { createCacheKeyFor, type TokenSource } from "../../../../src/core/token/cache-key.ts";

type Input = TokenSource & Grant;

/** Made of what a key could be glued together with, so that a weak separator would show. */
const string = fc.oneof(
  fc.constantFrom("", "a", "b", "null", "undefined", "900", "\ud800", "\\ud800"),
  fc.array(fc.constantFrom("a", '"', ",", "\\", "[", "]", "null"), { maxLength: 4 }).map((parts) => parts.join("")),
);
const items = fc.array(fc.constantFrom("a", "b", '"', ",", '","', "900"), { minLength: 1, maxLength: 3 });
const input: fc.Arbitrary<Input> = fc.record({
  clientId: string,
  audience: string,
  tokenEndpoint: string,
  userId: fc.option(string, { nil: undefined }),
  durationSeconds: fc.integer({ min: 1, max: 86_399 }),
  scope: fc.oneof(
    fc.constant(undefined),
    items.map((permissions) => ({ account_permission: { permission_list: permissions } })),
    items.map((bots) => ({ attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: bots } } })),
    fc.record({ workspace_permission: fc.record({ workspace_id_list: items, permission_list: items }) }),
  ),
});
const names = fc.subarray<keyof Input>(["clientId", "audience", "tokenEndpoint", "userId", "durationSeconds", "scope"]);

const keyOf = (one: Input) => createCacheKeyFor(one)(one);

describe("the cache key", () => {
  it("makes a different cache key exactly when an input differs", () => {
    fc.assert(
      fc.property(input, input, names, (one, different, bent) => {
        const other = { ...one, ...Object.fromEntries(bent.map((name) => [name, different[name]])) };
        expect(keyOf(other) === keyOf(one)).toBe(meaningOf(other) === meaningOf(one));
      }),
      { numRuns: 1000 },
    );
  });

  it("makes the same cache key when the lists of the scope are written in another way", () => {
    fc.assert(
      fc.property(input, (one) => {
        const other = { ...one, scope: withLists(one.scope, (list) => [...list, ...list.toReversed()].reverse()) };
        expect(keyOf(other)).toBe(keyOf(one));
      }),
    );
  });
});

/** One string per meaning of an input, told apart by a separator that no part can hold. */
function meaningOf({ clientId, audience, tokenEndpoint, userId, durationSeconds, scope }: Input): string {
  const user = userId === undefined ? "nobody" : `user ${userId}`;
  const meaning = withLists(scope, (list) => [...new Set(list)].sort());
  return [clientId, audience, tokenEndpoint, user, durationSeconds, JSON.stringify(meaning)].join("\0");
}

/** The scope with each of its lists changed. */
function withLists(scope: CozeScope | undefined, change: (list: readonly string[]) => string[]): CozeScope | undefined {
  return scope && JSON.parse(JSON.stringify(scope), (_name, value) => (Array.isArray(value) ? change(value) : value));
}
