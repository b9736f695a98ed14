import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AppEnv } from "./app-env.ts";

/** Headers by name, as they are gathered on the way to an answer. */
export type AnswerHeaders = Record<string, string>;

/** Headers that every answer of an API wants: nothing to keep, nothing to frame, sniff, run or leak. */
const API_HEADERS: Readonly<AnswerHeaders> = {
  // RFC 6749 §5.1 asks for both wherever a token may be.
  "Cache-Control": "no-store",
  Pragma: "no-cache",
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=31536000",
};

/** Makes the headers that an answer begins with. */
export function apiHeaders(requestId: string): AnswerHeaders {
  return { ...API_HEADERS, "X-Request-Id": requestId };
}

/**
 * Answers with JSON and the headers gathered so far. It makes the response in one go, from a plain record: setting
 * headers one by one on the runtime's own object costs more than all the rest of an answer from memory.
 */
export function answerJson(c: Context<AppEnv>, members: object, status: ContentfulStatusCode = 200): Response {
  const headers = { ...c.get("headers"), "Content-Type": "application/json" };
  return new Response(JSON.stringify(members), { status, headers });
}

/** Answers with the headers gathered so far and nothing else. */
export function answerNothing(c: Context<AppEnv>): Response {
  return new Response(null, { status: 204, headers: c.get("headers") });
}
