import type { CozeScope } from "./coze-scope.ts";

/** The lists of a scope by their paths, such as `account_permission.permission_list`. */
export type ScopeLists = Map<string, readonly string[]>;

/** A constraint takes rights away; the other groups each bring rights of their own. */
export const CONSTRAINT_GROUP = "attribute_constraint";

/** Tells whether a scope names any rights. What Coze makes of one that only constrains is not known. */
export function namesRights(scope: CozeScope): boolean {
  return rightsGroups(scopeLists(scope)).size > 0;
}

/** One string per meaning of a scope: the order and repetition of list items make no difference. "" without a scope. */
export function canonicalScope(scope: CozeScope | undefined): string {
  if (scope === undefined) return "";
  const lists = [...scopeLists(scope)].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(lists.map(([path, items]) => [path, [...new Set(items)].sort()]));
}

/** Writes a scope flat, as its lists. */
export function scopeLists(scope: object, path = "", lists: ScopeLists = new Map()): ScopeLists {
  for (const [name, property] of Object.entries(scope)) {
    const propertyPath = path === "" ? name : `${path}.${name}`;
    if (Array.isArray(property)) lists.set(propertyPath, property);
    if (!Array.isArray(property)) scopeLists(property, propertyPath, lists);
  }
  return lists;
}

/** Builds the scope that has these lists. */
export function scopeFrom(lists: ScopeLists): CozeScope {
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
export function rightsGroups(lists: ScopeLists): ReadonlySet<string> {
  return new Set([...lists.keys()].map(groupFor).filter((group) => group !== CONSTRAINT_GROUP));
}

/** The group that a list belongs to, such as `account_permission`. */
export function groupFor(path: string): string {
  return path.slice(0, path.indexOf("."));
}
