import { TokenError } from "./token-error.ts";

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
export type ScopeFault = { readonly path: string; readonly problem: string };

type Shape = { readonly [member: string]: Shape | "list" };
type ScopeLists = Map<string, readonly string[]>;

const SCOPE_SHAPE: Shape = {
  account_permission: { permission_list: "list" },
  attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: "list" } },
  workspace_permission: { workspace_id_list: "list", permission_list: "list" },
  workflow_permission: { workflow_id_list: "list", permission_list: "list" },
};

/** A constraint takes rights away, so it may join any scope; the other groups each bring rights of their own. */
const CONSTRAINT_GROUP = "attribute_constraint";

/**
 * Checks a value of unknown origin to be a Coze scope: known members only, every list of at least one non-empty string.
 * An empty list is refused, because what Coze makes of it is not documented.
 * @returns the scope itself, or every fault found in it.
 */
export function parseCozeScope(value: unknown): { readonly scope: CozeScope } | { readonly faults: ScopeFault[] } {
  const faults = [...scopeFaults(value, SCOPE_SHAPE, "")];
  if (faults.length > 0) return { faults };
  // The walk over SCOPE_SHAPE has just shown that it is one.
  return { scope: value as CozeScope };
}

/**
 * Narrows the granted scope to what is asked for. What the asked scope leaves out stays as granted; no scope at all
 * means every permission of the app.
 * @throws TokenError `invalid_scope` when something is asked for that is not granted.
 */
export function narrowScope(granted: CozeScope | undefined, asked: CozeScope | undefined): CozeScope | undefined {
  if (granted === undefined) return asked;
  if (asked === undefined) return granted;

  const grantedLists = scopeLists(granted);
  const askedLists = scopeLists(asked);
  for (const [path, items] of askedLists) {
    const grantedItems = grantedLists.get(path);
    const isWithin = grantedItems === undefined || items.every((item) => grantedItems.includes(item));
    if (!isWithin || bringsRights(path, grantedLists)) {
      throw new TokenError("invalid_scope", `The scope member ${path} asks for more than is granted.`);
    }
  }
  return scopeFrom(new Map([...grantedLists, ...askedLists]));
}

/**
 * Intersects two scopes that each limit a token; either may be absent, which limits nothing. A list that only one of
 * them has stays as it is there.
 * @throws TokenError `invalid_scope`, beginning with the given words, when they have nothing in common.
 */
export function intersectScopes(
  first: CozeScope | undefined,
  second: CozeScope | undefined,
  nothingLeft: string,
): CozeScope | undefined {
  if (first === undefined) return second;
  if (second === undefined) return first;

  const firstLists = scopeLists(first);
  const secondLists = scopeLists(second);
  const intersection = new Map([...firstLists, ...secondLists]);
  for (const [path, items] of secondLists) {
    const common = items.filter((item) => firstLists.get(path)?.includes(item) ?? true);
    if (common.length === 0 || bringsRights(path, firstLists)) {
      throw new TokenError("invalid_scope", `${nothingLeft}: no ${path} is in TOKEN_SCOPE as well.`);
    }
    intersection.set(path, common);
  }
  return scopeFrom(intersection);
}

/** One text per meaning of a scope: the order and repetition of list items make no difference. "" when there is none. */
export function canonicalScope(scope: CozeScope | undefined): string {
  if (scope === undefined) return "";
  const lists = [...scopeLists(scope)].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(lists.map(([path, items]) => [path, [...new Set(items)].sort()]));
}

function* scopeFaults(value: unknown, shape: Shape, path: string): Generator<ScopeFault> {
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
    if (typeof memberShape === "object") yield* scopeFaults(member, memberShape, memberPath);
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

/** Whether a list belongs to a group of rights that a scope, which names other rights, does not grant. */
function bringsRights(path: string, granted: ScopeLists): boolean {
  const group = groupOf(path);
  const grantedGroups = [...granted.keys()].map(groupOf).filter((name) => name !== CONSTRAINT_GROUP);
  return group !== CONSTRAINT_GROUP && grantedGroups.length > 0 && !grantedGroups.includes(group);
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
