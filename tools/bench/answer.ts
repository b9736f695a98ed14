import { deepStrictEqual } from "node:assert/strict";
import type { RequestHeaders } from "./load.ts";

/** An answer that a baseline can repeat. */
export type Answer = { readonly json: object; readonly headers: Readonly<Record<string, string>> };

/** What whoever answers with JSON sends by itself. */
const HEADERS_OF_JSON = new Set(["content-type", "content-length"]);

/** Asks once, and takes down the answer. */
export async function readAnswer(url: string, requestHeaders: RequestHeaders): Promise<Answer> {
  const response = await fetch(url, { method: "POST", headers: requestHeaders });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return {
    json: (await response.json()) as object, // a token answer
    headers: Object.fromEntries([...response.headers].filter(([name]) => !HEADERS_OF_JSON.has(name))),
  };
}

/** Makes sure that a baseline answers just as the Worker did: it may save nothing by saying less. */
export async function checkSameAnswer(url: string, requestHeaders: RequestHeaders, expected: Answer): Promise<void> {
  deepStrictEqual(await readAnswer(url, requestHeaders), expected);
}
