import { TokenError } from "../token-error.ts";
import type { CozeScope } from "./coze-scope.ts";
import {
  CONSTRAINT_GROUP,
  groupFor,
  namesRights,
  rightsGroups,
  type ScopeLists,
  scopeFrom,
  scopeLists,
} from "./scope-lists.ts";

/**
 * Combines two scopes that each limit a token; either may be absent, which limits nothing. Where both name groups of
 * rights, only groups that both name remain; where one names none, the other's stand. A list that both name is
 * intersected, a list that one names stands; a group of rights with an empty list is gone. So the result allows what
 * both sides allow, and nothing else, whichever side comes first.
 * @throws TokenError `invalid_scope`, with `nothingLeft` as its description, when they have nothing in common.
 */
export function combineScopes(
  first: CozeScope | undefined,
  second: CozeScope | undefined,
  nothingLeft: string,
): CozeScope | undefined {
  if (first === undefined) return second;
  if (second === undefined) return first;

  const [firstLists, secondLists] = [scopeLists(first), scopeLists(second)];
  const common: ScopeLists = new Map();
  for (const [path, items] of new Map([...firstLists, ...secondLists])) {
    if (isLeftOut(path, firstLists) || isLeftOut(path, secondLists)) continue;
    common.set(path, commonItems(firstLists.get(path) ?? items, secondLists.get(path) ?? items));
  }
  const emptied = new Set([...common].filter(([, items]) => items.length === 0).map(([path]) => groupFor(path)));
  const combined = new Map([...common].filter(([path]) => !emptied.has(groupFor(path))));

  // Rights that one side alone names are all still there.
  if (emptied.has(CONSTRAINT_GROUP) || (namesRights(first) && rightsGroups(combined).size === 0)) {
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
    const isGroupGranted = groupFor(path) === CONSTRAINT_GROUP || rightsGroups(grantedLists).has(groupFor(path));
    if (!isGroupGranted || items.some((item) => !grantedItems.includes(item))) {
      throw new TokenError("invalid_scope", `The scope property ${path} asks for more than is granted.`);
    }
  }
  return combineScopes(granted, requested, "Nothing of the scope is granted");
}

/** Whether a list belongs to a group of rights that a scope leaves out while it names another. */
function isLeftOut(path: string, lists: ScopeLists): boolean {
  const groups = rightsGroups(lists);
  return groupFor(path) !== CONSTRAINT_GROUP && groups.size > 0 && !groups.has(groupFor(path));
}

function commonItems(items: readonly string[], others: readonly string[]): readonly string[] {
  return items.filter((item) => others.includes(item));
}
