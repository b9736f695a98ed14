import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CozeScope,
  canonicalScope,
  intersectScopes,
  narrowScope,
  parseCozeScope,
} from "../../src/core/coze-scope.ts";

const LIST_NAMES = ["permissions", "bots", "workspaces", "workspaceRights", "workflows", "workflowRights"] as const;

/** A scope written flat, as the lists that it states. */
type Lists = { readonly [name in (typeof LIST_NAMES)[number]]?: readonly string[] | undefined };

/** Few and alike, so that lists meet and differ in every way. */
const ITEMS = ["a", "b", "A", "ab", "a,b", '"', "\\", "[]", "1", "10", "2", "__proto__", "用", "\ud800"];

const item = fc.constantFrom(...ITEMS);
const list = fc.array(item, { minLength: 1, maxLength: 4 });
const lists = fc
  .record(Object.fromEntries(LIST_NAMES.map((name) => [name, list])), { requiredKeys: [] })
  .filter((stated) => Object.keys(stated).length > 0);
const scope = lists.map(scopeOf);
const scopeOrNone = fc.option(scope, { nil: undefined });

/** A grant, and a request that lies within it about every other time. */
const grantAndRequest = lists.chain((granted) =>
  fc
    .tuple(fc.constant(granted), fc.oneof(partOf(granted), lists))
    .map(([grant, asked]) => [scopeOf(grant), scopeOf(asked)] as const),
);

/** Grant, request and result of a narrowing that succeeds. */
const narrowing = grantAndRequest
  .filter(([granted, asked]) => !asksForMore(listsOf(granted), listsOf(asked)))
  .map(([granted, asked]) => ({ granted, asked, result: narrowScope(granted, asked) }));

describe("a scope narrowed to what is asked for", () => {
  it("is refused exactly when something outside the grant is asked for", () => {
    fc.assert(
      fc.property(grantAndRequest, ([granted, asked]) => {
        const narrow = () => narrowScope(granted, asked);
        if (!asksForMore(listsOf(granted), listsOf(asked))) expect(narrow).not.toThrow();
        else expect(narrow).toThrow(expect.objectContaining({ code: "invalid_scope" }));
      }),
      { numRuns: 500 },
    );
  });

  it("states each list that the grant or the request states, and none wider than either", () => {
    fc.assert(
      fc.property(narrowing, ({ granted, asked, result }) => {
        for (const name of LIST_NAMES) {
          const sides = [listsOf(granted)[name], listsOf(asked)[name]].filter((items) => items !== undefined);
          const items = listsOf(result)[name];
          expect(items !== undefined).toBe(sides.length > 0);
          for (const side of sides) expect(isWithin(items ?? [], side)).toBe(true);
        }
      }),
    );
  });

  it("names no group of rights beside those of a grant that names any", () => {
    fc.assert(
      fc.property(narrowing, ({ granted, result }) => {
        const groups = groupsOf(listsOf(granted));
        if (groups.length > 0) expect(isWithin(groupsOf(listsOf(result)), groups)).toBe(true);
      }),
    );
  });

  it("allows nothing that the grant does not, and in the groups of the request nothing beside the request", () => {
    const action = fc.record({ group: fc.constantFrom(...GROUPS), id: item, right: item, bot: item });
    fc.assert(
      fc.property(narrowing, fc.array(action, { minLength: 50, size: "max", maxLength: 50 }), (outcome, actions) => {
        const [granted, asked, result] = [outcome.granted, outcome.asked, outcome.result].map(listsOf) as [
          Lists,
          Lists,
          Lists,
        ]; // as many as given
        for (const allowed of actions.filter((each) => allows(result, each))) {
          expect(allows(granted, allowed)).toBe(true);
          if (groupsOf(asked).includes(allowed.group)) expect(allows(asked, allowed)).toBe(true);
        }
      }),
    );
  });

  it("stays as it is when it is narrowed again", () => {
    fc.assert(
      fc.property(narrowing, ({ granted, asked, result }) => {
        expect(narrowScope(granted, result)).toEqual(result);
        expect(narrowScope(result, asked)).toEqual(result);
        expect(narrowScope(result, result)).toEqual(result);
      }),
    );
  });

  it("is a Coze scope", () => {
    fc.assert(
      fc.property(narrowing, ({ result }) => {
        expect(parseCozeScope(result)).toEqual({ scope: result });
      }),
    );
  });

  it("is the other side where one side says nothing", () => {
    fc.assert(
      fc.property(scopeOrNone, (either) => {
        expect(narrowScope(undefined, either)).toBe(either);
        expect(narrowScope(either, undefined)).toBe(either);
      }),
    );
  });
});

describe("two scopes intersected", () => {
  it("share each list that both state, keep those that one states, and are refused where nothing is left", () => {
    fc.assert(
      fc.property(lists, lists, (one, other) => {
        const intersect = () => intersectScopes(scopeOf(one), scopeOf(other), "Nothing is left");
        const common = Object.fromEntries(LIST_NAMES.map((name) => [name, commonItems(one[name], other[name])]));
        const isEmpty = Object.values(common).some((items) => items?.length === 0);
        if (!isEmpty && !addsGroups(one, other)) expect(intersect()).toEqual(scopeOf(common));
        else {
          expect(intersect).toThrow(
            expect.objectContaining({
              code: "invalid_scope",
              message: expect.stringMatching(/^Nothing is left: no \w+(\.\w+)+ is in TOKEN_SCOPE as well\.$/),
            }),
          );
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("are the other one where one says nothing", () => {
    fc.assert(
      fc.property(scopeOrNone, (either) => {
        expect(intersectScopes(undefined, either, "")).toBe(either);
        expect(intersectScopes(either, undefined, "")).toBe(either);
      }),
    );
  });
});

describe("the canonical text of a scope", () => {
  it("is equal exactly where two scopes state the same lists, order and repetition aside", () => {
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

  it("does not change when items and members change places, or items come twice", () => {
    const pair = lists.chain((one) => fc.tuple(fc.constant(one), reorderingOf(one), fc.boolean()));
    fc.assert(
      fc.property(pair, ([one, reordered, isTurned]) => {
        const other = isTurned ? turned(scopeOf(reordered)) : scopeOf(reordered);
        expect(canonicalScope(other)).toBe(canonicalScope(scopeOf(one)));
      }),
    );
  });

  it("is empty only where there is no scope", () => {
    fc.assert(
      fc.property(scopeOrNone, (either) => {
        expect(canonicalScope(either) === "").toBe(either === undefined);
      }),
    );
  });
});

it("takes any value either for a scope as it stands, or to have faults, each with a place and a sentence", () => {
  const member = fc.constantFrom(
    "account_permission",
    "attribute_constraint",
    "workspace_permission",
    "more",
    "__proto__",
  );
  const bent = fc
    .tuple(
      scope,
      member,
      fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom("permission_list", "more"), fc.anything())),
    )
    .map(([whole, name, value]) => Object.fromEntries([...Object.entries(whole), [name, value]]));
  fc.assert(
    fc.property(fc.oneof(fc.anything(), bent, scope), (value) => {
      const parsed = parseCozeScope(value);
      if ("scope" in parsed) {
        expect(parsed.scope).toBe(value);
        // Nothing is left once the lists that a scope can state are taken out.
        expect(scopeOf(listsOf(parsed.scope))).toEqual(value);
        for (const items of Object.values(listsOf(parsed.scope)).filter((items) => items !== undefined)) {
          expect(items.length).toBeGreaterThan(0);
          expect(items.every((each) => typeof each === "string" && each !== "")).toBe(true);
        }
      } else {
        expect(parsed.faults.length).toBeGreaterThan(0);
        for (const { path, problem } of parsed.faults) expect(`${path} ${problem}`).toMatch(/ (must|is not) /);
      }
    }),
    { numRuns: 500 },
  );
});

const GROUPS = ["account", "workspace", "workflow"] as const;
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
function asksForMore(granted: Lists, asked: Lists): boolean {
  const addsItems = LIST_NAMES.some(
    (name) => granted[name] && asked[name]?.some((each) => !granted[name]?.includes(each)),
  );
  return addsItems || addsGroups(granted, asked);
}

function addsGroups(granted: Lists, asked: Lists): boolean {
  const grantedGroups = groupsOf(granted);
  return grantedGroups.length > 0 && !isWithin(groupsOf(asked), grantedGroups);
}

function commonItems(one: readonly string[] | undefined, other: readonly string[] | undefined) {
  return one && other ? other.filter((each) => one.includes(each)) : (one ?? other);
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

/** The same object with its members in reverse order, on every level. */
function turned<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value).map(([name, member]) => [name, turned(member)]);
  return Object.fromEntries(members.reverse()) as Value; // the same members
}
