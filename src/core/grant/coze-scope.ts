import { TokenError } from "../token-error.ts";

/**
 * The scope object of a Coze token request. Without one, a token has every permission granted to the app.
 * Shape: the Coze OAuth JWT documentation, and `workspace_permission`, `workflow_permission` as coze-go sends them.
 */
export type CozeScope = {
  readonly account_permission?: { readonly permission_list: readonly string[] };
  readonly attribute_constraint?: {
    readonly connector_bot_chat_attribute: { readonly bot_id_list: readonly string[] };
  };
  readonly workspace_permission?: {
    readonly workspace_id_list?: readonly string[];
    readonly permission_list?: readonly string[];
  };
  readonly workflow_permission?: {
    readonly workflow_id_list?: readonly string[];
    readonly permission_list?: readonly string[];
  };
};

/** Where a scope is wrong (`account_permission.permission_list`, or "" for the whole) and how. */
export type ScopeIssue = { readonly path: string; readonly problem: string };

/** A list of some hundred bots is written in so many; the canonical form of a scope is measured. */
export const MAX_SCOPE_BYTES = 2048;

const encoder = new TextEncoder();

type Shape = { readonly [member: string]: Shape | "list" };
type ScopeLists = Map<string, readonly string[]>;

const SCOPE_SHAPE: Shape = {
  account_permission: { permission_list: "list" },
  attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: "list" } },
  workspace_permission: { workspace_id_list: "list", permission_list: "list" },
  workflow_permission: { workflow_id_list: "list", permission_list: "list" },
};

/** A constraint takes rights away; the other groups each bring rights of their own. */
const CONSTRAINT_GROUP = "attribute_constraint";

/**
 * Checks a value of unknown origin to be a Coze scope: known members only, every list of at least one non-empty string.
 * An empty list is refused, because what Coze makes of it is not documented.
 * @returns the scope itself, or every fault found in it.
 */
export function parseCozeScope(value: unknown): { readonly scope: CozeScope } | { readonly faults: ScopeIssue[] } {
  const faults = [...scopeIssues(value, SCOPE_SHAPE, "")];
  if (faults.length > 0) return { faults };
  // The walk over SCOPE_SHAPE has just shown that it is one.
  return { scope: value as CozeScope };
}

/**
 * Checks the scope of a request: as {@link parseCozeScope} does, and for its size, as it becomes part of a cache key.
 * Items that are repeated are left out of it.
 */
export function parseRequestedScope(value: unknown): ReturnType<typeof parseCozeScope> {
  const parsed = parseCozeScope(value);
  if ("faults" in parsed) return parsed;
  if (encoder.encode(canonicalScope(parsed.scope)).length > MAX_SCOPE_BYTES) {
    return { faults: [{ path: "", problem: `is larger than ${MAX_SCOPE_BYTES} bytes` }] };
  }
  const lists = [...scopeLists(parsed.scope)].map(([path, items]) => [path, [...new Set(items)]] as const);
  return { scope: scopeFrom(new Map(lists)) };
}

/** Tells whether a scope names any rights. What Coze makes of one that only constrains is not known. */
export function namesRights(scope: CozeScope): boolean {
  return rightsGroups(scopeLists(scope)).size > 0;
}

/**
 * Combines two scopes that each limit a token; either may be absent, which limits nothing. Where both name groups of
 * rights, only groups that both name remain; where one names none, the other's stand. A list that both name is
 * intersected, a list that one names stands; a group of rights with an empty list is gone. So the result allows what
 * both sides allow, and nothing else, whichever side comes first.
 * @throws TokenError `invalid_scope`, beginning with the given words, when they have nothing in common.
 */
export function combineScopes(
  first: CozeScope | undefined,
  second: CozeScope | undefined,
  nothingLeft: string,
): CozeScope | undefined {
  if (first === undefined) return second;
  if (second === undefined) return first;

  const [firstLists, secondLists] = [scopeLists(first), scopeLists(second)];
  const combined = new Map([...firstLists, ...secondLists]);
  for (const [path, items] of combined) {
    if (isLeftOut(path, firstLists) || isLeftOut(path, secondLists)) combined.delete(path);
    else combined.set(path, commonItems(firstLists.get(path) ?? items, secondLists.get(path) ?? items));
  }
  const emptied = new Set([...combined].filter(([, items]) => items.length === 0).map(([path]) => groupOf(path)));
  for (const path of combined.keys()) if (emptied.has(groupOf(path))) combined.delete(path);

  const limitsRights = namesRights(first) || namesRights(second);
  if (emptied.has(CONSTRAINT_GROUP) || (limitsRights && rightsGroups(combined).size === 0)) {
    throw new TokenError("invalid_scope", `${nothingLeft}.`);
  }
  return scopeFrom(combined);
}

/**
 * Narrows the granted scope to what is requested. A request that names groups of rights gets those alone; constraints
 * that it leaves out stay as granted. No scope at all means every permission of the app.
 * @throws TokenError `invalid_scope` when an item or a group is requested that is not granted, or a constraint where no
 * rights are named on either side.
 */
export function narrowScope(granted: CozeScope | undefined, requested: CozeScope | undefined): CozeScope | undefined {
  if (requested === undefined) return granted;
  if (granted === undefined && namesRights(requested)) return requested;
  if (granted === undefined) {
    throw new TokenError("invalid_scope", "The scope names no permissions. Add account_permission or another group.");
  }

  const grantedLists = scopeLists(granted);
  for (const [path, items] of scopeLists(requested)) {
    const grantedItems = grantedLists.get(path) ?? items;
    const isGroupGranted = groupOf(path) === CONSTRAINT_GROUP || rightsGroups(grantedLists).has(groupOf(path));
    if (!isGroupGranted || items.some((item) => !grantedItems.includes(item))) {
      throw new TokenError("invalid_scope", `The scope property ${path} asks for more than is granted.`);
    }
  }
  return combineScopes(granted, requested, "Nothing of the scope is granted");
}

/** One text per meaning of a scope: the order and repetition of list items make no difference. "" when there is none. */
export function canonicalScope(scope: CozeScope | undefined): string {
  if (scope === undefined) return "";
  const lists = [...scopeLists(scope)].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(lists.map(([path, items]) => [path, [...new Set(items)].sort()]));
}

function* scopeIssues(value: unknown, shape: Shape, path: string): Generator<ScopeIssue> {
  if (!isObject(value)) {
    yield { path, problem: "must be an object" };
    return;
  }
  const members = Object.entries(value);
  if (members.length === 0) {
    yield { path, problem: `must have at least one of ${Object.keys(shape).join(", ")}` };
  }
  for (const [name, member] of members) {
    const memberPath = path === "" ? name : `${path}.${name}`;
    const memberShape = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (memberShape === undefined) yield { path: memberPath, problem: "is not a member of the Coze scope object" };
    if (memberShape === "list" && !isListOfTexts(member)) {
      yield { path: memberPath, problem: "must be a list of at least one non-empty string" };
    }
    if (typeof memberShape === "object") yield* scopeIssues(member, memberShape, memberPath);
  }
}

function scopeLists(scope: object, path = "", lists: ScopeLists = new Map()): ScopeLists {
  for (const [name, member] of Object.entries(scope)) {
    const memberPath = path === "" ? name : `${path}.${name}`;
    if (Array.isArray(member)) lists.set(memberPath, member);
    if (!Array.isArray(member)) scopeLists(member, memberPath, lists);
  }
  return lists;
}

function scopeFrom(lists: ScopeLists): CozeScope {
  const scope: Record<string, unknown> = {};
  for (const [path, items] of lists) {
    let parent = scope;
    for (const name of path.split(".").slice(0, -1)) {
      parent[name] ??= {};
      parent = parent[name] as Record<string, unknown>; // made by the line above, if not by an earlier list
    }
    parent[path.slice(path.lastIndexOf(".") + 1)] = items;
  }
  return scope;
}

/** The groups of rights that a scope names; none: those of the app. */
function rightsGroups(lists: ScopeLists): ReadonlySet<string> {
  return new Set([...lists.keys()].map(groupOf).filter((group) => group !== CONSTRAINT_GROUP));
}

/** Whether a list belongs to a group of rights that a scope leaves out while it names another. */
function isLeftOut(path: string, lists: ScopeLists): boolean {
  const groups = rightsGroups(lists);
  return groupOf(path) !== CONSTRAINT_GROUP && groups.size > 0 && !groups.has(groupOf(path));
}

function commonItems(items: readonly string[], others: readonly string[]): readonly string[] {
  return items.filter((item) => others.includes(item));
}

function groupOf(path: string): string {
  return path.slice(0, path.indexOf("."));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOfTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string" && item !== "");
}
