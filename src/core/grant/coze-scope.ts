import { canonicalScope, scopeFrom, scopeLists } from "./scope-lists.ts";

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

const SCOPE_SHAPE: Shape = {
  account_permission: { permission_list: "list" },
  attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: "list" } },
  workspace_permission: { workspace_id_list: "list", permission_list: "list" },
  workflow_permission: { workflow_id_list: "list", permission_list: "list" },
};

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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOfTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string" && item !== "");
}
