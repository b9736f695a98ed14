import type { Parsed } from "../../src/core/issue.ts";

/** The value of a parser that has to find no issue. */
export function parsedValue<Value>(parsed: Parsed<Value>): Value {
  if ("value" in parsed) return parsed.value;
  throw new Error(JSON.stringify(parsed.issues));
}
