import { type Issue, invalid, type Parsed } from "../issue.ts";
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

/** A list of some hundred bots is written in so many; the canonical form of a scope is measured. */
export const MAX_SCOPE_BYTES = 2048;

const encoder = new TextEncoder();

/** The properties of an object; "list" is a list of at least one non-empty string. */
export type Shape = { readonly [property: string]: Shape | "list" };

/** The properties of a {@link CozeScope}, none of which is required; each object has at least one. */
export const SCOPE_SHAPE: Shape = {
  account_permission: { permission_list: "list" },
  attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: "list" } },
  workspace_permission: { workspace_id_list: "list", permission_list: "list" },
  workflow_permission: { workflow_id_list: "list", permission_list: "list" },
};

/**
 * Checks a value of unknown origin to be a Coze scope: known properties only, every list of at least one non-empty string.
 * An empty list is refused, because what Coze makes of it is not documented.
 * @returns the scope itself, or every issue with it.
 */
export function parseCozeScope(value: unknown): Parsed<CozeScope> {
  const issues = [...scopeIssues(value, SCOPE_SHAPE, "")];
  if (issues.length > 0) return { issues };
  // The walk over SCOPE_SHAPE has just shown that it is one.
  return { value: value as CozeScope };
}

/**
 * Checks the scope of a request: as {@link parseCozeScope} does, and for its size, as it becomes part of a cache key.
 * Items that are repeated are left out of it.
 */
export function parseRequestedScope(value: unknown): Parsed<CozeScope> {
  const parsed = parseCozeScope(value);
  if ("issues" in parsed) return parsed;
  if (encoder.encode(canonicalScope(parsed.value)).length > MAX_SCOPE_BYTES) {
    return invalid(`is larger than ${MAX_SCOPE_BYTES} bytes`);
  }
  const lists = [...scopeLists(parsed.value)].map(([path, items]) => [path, [...new Set(items)]] as const);
  return { value: scopeFrom(new Map(lists)) };
}

function* scopeIssues(value: unknown, shape: Shape, path: string): Generator<Issue> {
  if (!isObject(value)) {
    yield { path, message: "must be an object" };
    return;
  }
  const properties = Object.entries(value);
  if (properties.length === 0) {
    yield { path, message: `must have at least one of ${Object.keys(shape).join(", ")}` };
  }
  for (const [name, property] of properties) {
    const propertyPath = path === "" ? name : `${path}.${name}`;
    const propertyShape = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (propertyShape === undefined)
      yield { path: propertyPath, message: "is not a property of the Coze scope object" };
    if (propertyShape === "list" && !isListOfStrings(property)) {
      yield { path: propertyPath, message: "must be a list of at least one non-empty string" };
    }
    if (typeof propertyShape === "object") yield* scopeIssues(property, propertyShape, propertyPath);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOfStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string" && item !== "");
}
