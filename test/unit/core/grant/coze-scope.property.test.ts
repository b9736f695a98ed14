import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combineScopes, narrowScope } from "../../../../src/core/grant/combine-scopes.ts";
import { type CozeScope, parseCozeScope } from "../../../../src/core/grant/coze-scope.ts";
import { canonicalScope, namesRights } from "../../../../src/core/grant/scope-lists.ts";

const LIST_NAMES = ["permissions", "bots", "workspaces", "workspaceRights", "workflows", "workflowRights"] as const;

/** A scope written flat, as the lists that it states. */
type Lists = { readonly [name in (typeof LIST_NAMES)[number]]?: readonly string[] | undefined };

const GROUPS = ["account", "workspace", "workflow"] as const;

/** Few and alike, so that lists meet and differ in every way. */
const ITEMS = ["a", "b", "A", "ab", "a,b", '"', "\\", "[]", "1", "10", "2", "__proto__", "用", "\ud800"];

const item = fc.constantFrom(...ITEMS);
const list = fc.array(item, { minLength: 1, maxLength: 4 });
const lists = fc
  .record(Object.fromEntries(LIST_NAMES.map((name) => [name, list])), { requiredKeys: [] })
  .filter((stated) => Object.keys(stated).length > 0);
const scope = lists.map(scopeOf);
const scopeOrNone = fc.option(scope, { nil: undefined });

/** Two scopes, of which the second lies within the first about every other time. */
const twoScopes = lists.chain((one) => fc.tuple(fc.constant(one), fc.oneof(partOf(one), lists)));

/** What somebody with a token might do. */
const action = fc.record({ group: fc.constantFrom(...GROUPS), id: item, right: item, bot: item });
const actions = fc.array(action, { minLength: 50, maxLength: 50, size: "max" });

describe("two scopes combined", () => {
  it("combines two scopes into exactly what both allow, or refuses them where that is nothing", () => {
    fc.assert(
      fc.property(twoScopes, actions, ([one, other], tried) => {
        const result = combined(scopeOf(one), scopeOf(other));
        for (const each of tried) {
          const isAllowedByBoth = allows(one, each) && allows(other, each);
          expect(result !== undefined && allows(listsOf(result), each)).toBe(isAllowedByBoth);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("combines two scopes alike whichever comes first", () => {
    fc.assert(
      fc.property(scopeOrNone, scopeOrNone, (one, other) => {
        const [result, reverse] = [combined(one, other), combined(other, one)];
        expect(result === undefined).toBe(reverse === undefined);
        expect(canonicalScope(result)).toBe(canonicalScope(reverse));
      }),
    );
  });

  it("combines two scopes into a Coze scope, which combines to itself", () => {
    fc.assert(
      fc.property(twoScopes, ([one, other]) => {
        const result = combined(scopeOf(one), scopeOf(other));
        fc.pre(result !== undefined);
        expect(parseCozeScope(result)).toEqual({ value: result });
        expect(combined(result, scopeOf(one))).toEqual(result);
      }),
    );
  });

  it("combines a scope with none to that scope", () => {
    fc.assert(
      fc.property(scopeOrNone, (either) => {
        expect(combineScopes(undefined, either, "")).toBe(either);
        expect(combineScopes(either, undefined, "")).toBe(either);
      }),
    );
  });
});

describe("a scope narrowed to what is requested", () => {
  it("refuses exactly requests for a group, an item or a bare constraint that is not granted", () => {
    fc.assert(
      fc.property(twoScopes, fc.boolean(), ([granted, requested], isEverythingGranted) => {
        const narrow = () => narrowScope(isEverythingGranted ? undefined : scopeOf(granted), scopeOf(requested));
        const isRejected = isEverythingGranted ? groupsOf(requested).length === 0 : asksForMore(granted, requested);
        if (!isRejected) expect(narrow).not.toThrow();
        else expect(narrow).toThrow(expect.objectContaining({ code: "invalid_scope" }));
      }),
      { numRuns: 500 },
    );
  });

  it("narrows a scope to exactly what both the grant and the request allow", () => {
    fc.assert(
      fc.property(twoScopes, actions, ([granted, requested], tried) => {
        fc.pre(!asksForMore(granted, requested));
        const result = listsOf(narrowScope(scopeOf(granted), scopeOf(requested)));
        for (const each of tried) expect(allows(result, each)).toBe(allows(granted, each) && allows(requested, each));
      }),
    );
  });

  it("narrows to the only scope when just one of grant and request has one", () => {
    fc.assert(
      fc.property(scope, (either) => {
        expect(narrowScope(either, undefined)).toBe(either);
        fc.pre(namesRights(either));
        expect(narrowScope(undefined, either)).toBe(either);
      }),
    );
  });
});

describe("the canonical form of a scope", () => {
  it("writes the same canonical scope exactly for the same lists, order and repetition aside", () => {
    const pair = fc.oneof(
      fc.tuple(lists, lists),
      lists.chain((one) => fc.tuple(fc.constant(one), partOf(one))),
    );
    fc.assert(
      fc.property(pair, ([one, other]) => {
        const areEqual = canonicalScope(scopeOf(one)) === canonicalScope(scopeOf(other));
        expect(areEqual).toBe(LIST_NAMES.every((name) => haveSameItems(one[name], other[name])));
      }),
      { numRuns: 500 },
    );
  });

  it("writes the same canonical scope when items and properties change places, or items come twice", () => {
    const pair = lists.chain((one) => fc.tuple(fc.constant(one), reorderingOf(one), fc.boolean()));
    fc.assert(
      fc.property(pair, ([one, reordered, isTurned]) => {
        const other = isTurned ? turned(scopeOf(reordered)) : scopeOf(reordered);
        expect(canonicalScope(other)).toBe(canonicalScope(scopeOf(one)));
      }),
    );
  });

  it("writes an empty canonical scope only when there is none", () => {
    fc.assert(
      fc.property(scopeOrNone, (either) => {
        expect(canonicalScope(either) === "").toBe(either === undefined);
      }),
    );
  });
});

it("parses any value as the scope it is, or as issues, each with a path and a sentence", () => {
  const property = fc.constantFrom(
    "account_permission",
    "attribute_constraint",
    "workspace_permission",
    "more",
    "__proto__",
  );
  const bent = fc
    .tuple(
      scope,
      property,
      fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom("permission_list", "more"), fc.anything())),
    )
    .map(([whole, name, value]) => Object.fromEntries([...Object.entries(whole), [name, value]]));
  fc.assert(
    fc.property(fc.oneof(fc.anything(), bent, scope), (value) => {
      const parsed = parseCozeScope(value);
      if ("value" in parsed) {
        expect(parsed.value).toBe(value);
        // Nothing is left once the lists that a scope can state are taken out.
        expect(scopeOf(listsOf(parsed.value))).toEqual(value);
        for (const items of Object.values(listsOf(parsed.value)).filter((items) => items !== undefined)) {
          expect(items.length).toBeGreaterThan(0);
          expect(items.every((each) => typeof each === "string" && each !== "")).toBe(true);
        }
      } else {
        expect(parsed.issues.length).toBeGreaterThan(0);
        for (const { path, message } of parsed.issues) expect(`${path} ${message}`).toMatch(/ (must|is not) /);
      }
    }),
    { numRuns: 500 },
  );
});

type Action = {
  readonly group: (typeof GROUPS)[number];
  readonly id: string;
  readonly right: string;
  readonly bot: string;
};

/** The groups of rights that a scope names; one that names none gives those of the app. */
function groupsOf(stated: Lists): readonly Action["group"][] {
  return GROUPS.filter((group) => idsAndRightsOf(stated, group).some((items) => items !== undefined));
}

function idsAndRightsOf(stated: Lists, group: Action["group"]) {
  if (group === "account") return [undefined, stated.permissions];
  if (group === "workspace") return [stated.workspaces, stated.workspaceRights];
  return [stated.workflows, stated.workflowRights];
}

/** Whether a token of that scope may do this: by the group, the ids, the rights and the bots it names, if it names any. */
function allows(stated: Lists, { group, id, right, bot }: Action): boolean {
  const [ids, rights] = idsAndRightsOf(stated, group);
  const groups = groupsOf(stated);
  return (
    (groups.length === 0 || groups.includes(group)) &&
    (ids?.includes(id) ?? true) &&
    (rights?.includes(right) ?? true) &&
    (stated.bots?.includes(bot) ?? true)
  );
}

/** What makes a request one for more than is granted. */
function asksForMore(granted: Lists, requested: Lists): boolean {
  const addsItems = LIST_NAMES.some(
    (name) => granted[name] && requested[name]?.some((each) => !granted[name]?.includes(each)),
  );
  return addsItems || !isWithin(groupsOf(requested), groupsOf(granted));
}

/** The combination, or `undefined` where it is refused; of two absent ones it is never asked for. */
function combined(one: CozeScope | undefined, other: CozeScope | undefined): CozeScope | undefined {
  try {
    return combineScopes(one, other, "Nothing is left");
  } catch (error) {
    expect(error).toMatchObject({ code: "invalid_scope", message: "Nothing is left." });
    return undefined;
  }
}

/** Some of the lists, with some of the items of each. */
function partOf(stated: Lists): fc.Arbitrary<Lists> {
  const parts = Object.entries(stated).map(([name, items = []]) => [name, fc.subarray([...items], { minLength: 1 })]);
  return fc
    .record<Lists>(Object.fromEntries(parts), { requiredKeys: [] })
    .map((part) => (Object.keys(part).length > 0 ? part : stated));
}

/** The same lists with their items in another order, and some of them twice. */
function reorderingOf(stated: Lists): fc.Arbitrary<Lists> {
  const reordered = Object.entries(stated).map(([name, items = []]) => [
    name,
    fc
      .tuple(fc.shuffledSubarray([...items], { minLength: items.length }), fc.subarray([...items]))
      .map(([all, twice]) => [...twice, ...all]),
  ]);
  return fc.record<Lists>(Object.fromEntries(reordered));
}

function haveSameItems(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return isWithin(one, other) && isWithin(other, one);
}

function isWithin(part: readonly string[], whole: readonly string[]): boolean {
  return part.every((each) => whole.includes(each));
}

function scopeOf(stated: Lists): CozeScope {
  const { permissions, bots, workspaces, workspaceRights, workflows, workflowRights } = stated;
  return {
    ...(permissions && { account_permission: { permission_list: permissions } }),
    ...(bots && { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: bots } } }),
    ...((workspaces || workspaceRights) && {
      workspace_permission: {
        ...(workspaces && { workspace_id_list: workspaces }),
        ...(workspaceRights && { permission_list: workspaceRights }),
      },
    }),
    ...((workflows || workflowRights) && {
      workflow_permission: {
        ...(workflows && { workflow_id_list: workflows }),
        ...(workflowRights && { permission_list: workflowRights }),
      },
    }),
  };
}

function listsOf(whole: CozeScope | undefined): Lists {
  return {
    permissions: whole?.account_permission?.permission_list,
    bots: whole?.attribute_constraint?.connector_bot_chat_attribute.bot_id_list,
    workspaces: whole?.workspace_permission?.workspace_id_list,
    workspaceRights: whole?.workspace_permission?.permission_list,
    workflows: whole?.workflow_permission?.workflow_id_list,
    workflowRights: whole?.workflow_permission?.permission_list,
  };
}

/** The same object with its properties in reverse order, on every level. */
function turned<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const properties = Object.entries(value).map(([name, property]) => [name, turned(property)]);
  return Object.fromEntries(properties.reverse()) as Value; // the same properties
}
