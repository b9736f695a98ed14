import type { CacheOutcome } from "../../src/core/token/token-request.ts";
import { cacheStatus } from "../../src/http/cache-status.ts";
import { PLAIN_ID } from "../../src/http/request-id.ts";
import { type Header, type Reference, refTo } from "./openapi.ts";

const CACHE_OUTCOMES = {
  hit: "A cached token.",
  miss: "A new token from Coze.",
  collapsed: "A new token from Coze, shared with a concurrent request.",
  stale: "A cached token that could not be renewed.",
} satisfies Record<CacheOutcome, string>;

/** The response headers that mean something to a client. Those for browsers and caches are not among them. */
export const HEADERS = {
  "X-Request-Id": {
    description: "The id of the request, as in the log: the client's own, or a new one.",
    required: true,
    schema: { type: "string", pattern: PLAIN_ID.source },
  },
  "Cache-Status": {
    description: `Where the token comes from (RFC 9211). \`ttl\` is the number of seconds it has left, counted from the response, so that a client with a wrong clock knows too. ${meanings()}`,
    required: true,
    schema: { type: "string", pattern: `^(${outcomes().map(patternFor).join("|")})$` },
  },
  "Server-Timing": {
    description: "Milliseconds per step, if SERVER_TIMING is on. A token from memory has none.",
    schema: { type: "string", pattern: "^(cache|sign|upstream);dur=[\\d.]+(, (sign|upstream);dur=[\\d.]+)*$" },
  },
  "Retry-After": {
    description: "Seconds after which another try makes sense.",
    required: true,
    schema: { type: "integer", minimum: 1 },
  },
  Allow: {
    description: "The methods that the path supports.",
    required: true,
    schema: { type: "string" },
  },
  ETag: {
    description: "The version of a static file.",
    required: true,
    schema: { type: "string" },
  },
  "WWW-Authenticate": {
    description: "How to authenticate.",
    required: true,
    schema: { type: "string" },
  },
} satisfies Readonly<Record<string, Header>>;

/** Refers to headers of a response by their names. */
export function headerRefs(...names: readonly (keyof typeof HEADERS)[]): Readonly<Record<string, Reference>> {
  return Object.fromEntries(names.map((name) => [name, refTo("headers", name)]));
}

function outcomes(): readonly CacheOutcome[] {
  return Object.keys(CACHE_OUTCOMES) as CacheOutcome[]; // the keys of a literal
}

function statusFor(cacheOutcome: CacheOutcome, ttlSeconds: number): string {
  return cacheStatus({ cacheOutcome, ttlSeconds });
}

function meanings(): string {
  return outcomes()
    .map((outcome) => `\`${statusFor(outcome, 812)}\`: ${CACHE_OUTCOMES[outcome]}`)
    .join(" ");
}

/** The header has no character that means something in a pattern. */
function patternFor(outcome: CacheOutcome): string {
  return statusFor(outcome, 0).replace("ttl=0", "ttl=\\d+");
}
