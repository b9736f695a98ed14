import type { Context } from "hono";
import * as z from "zod";
import { describeIssues } from "./coze-error.ts";
import { parseJson } from "./response.ts";

/** A control request that fits its schema, or what is wrong with it, by property. */
export type Parsed<Value> = { readonly value: Value } | { readonly problem: string };

/** The one filter that lists and deletions take. */
const filterSchema = z.strictObject({ client_id: z.string().min(1).optional() });

/** Checks the JSON body of a control request; the schemas are strict, so that a typing error cannot pass for success. */
export async function parseBody<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<Parsed<z.output<Schema>>> {
  const json = parseJson(await c.req.text());
  return json === undefined ? { problem: "body: is not JSON" } : parse(schema, json);
}

/** Checks the query: `client_id` or nothing. */
export async function parseFilter(c: Context): Promise<Parsed<z.output<typeof filterSchema>>> {
  return parse(filterSchema, c.req.query());
}

/** The response to a invalid control request. */
export function badRequest(c: Context, problem: string) {
  return c.json({ error: "invalid_request", problem }, 400);
}

/** The response to a control request for something that does not exist. */
export function notFound(c: Context, problem: string) {
  return c.json({ error: "not_found", problem }, 404);
}

async function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): Promise<Parsed<z.output<Schema>>> {
  const parsed = await schema.safeParseAsync(input);
  return parsed.success ? { value: parsed.data } : { problem: describeIssues(parsed.error) };
}
