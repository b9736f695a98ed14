import type { Random } from "./random.ts";

const MALFORMED_BODIES: readonly unknown[] = [
  '{"access_token":"czs_',
  "<h1>It works!</h1>",
  "",
  "null",
  "[]",
  {},
  { access_token: "", expires_in: 4_102_444_800 },
  { access_token: 1, expires_in: 4_102_444_800 },
  { access_token: "czs_without_an_end" },
  { access_token: "czs_with_a_text_for_a_time", expires_in: "soon" },
  { access_token: "czs_that_ended_long_ago", expires_in: 1_000_000_001 },
];

/**
 * The ways in which Coze answers or fails, each as the emulator's control API takes it as a fault. An honest one takes
 * its place in the queue as well, so that honest answers come in between.
 */
const FAULTS = {
  honest: () => ({ delay_ms: 0 }),
  slow: (random) => ({ delay_ms: random.whole(50, 1500) }),
  "too slow": (random) => ({ delay_ms: random.whole(5500, 6500) }),
  hangs: () => ({ hang: true }),
  "drops the connection": () => ({ drop: true }),
  "drops it late": (random) => ({ drop: true, delay_ms: random.whole(50, 800) }),
  "500": () => ({ response: { status: 500, body: errorBody("internal_error") } }),
  "502, a page": () => response(502, "<h1>502 Bad Gateway</h1>", { "Content-Type": "text/html" }),
  "503": () => response(503, ""),
  "504, token lost": () => ({ response: { status: 504, after: true } }),
  "429": () => response(429, {}),
  "429, Retry-After 1": () => response(429, {}, { "Retry-After": "1" }),
  "429, Retry-After 3": () => response(429, {}, { "Retry-After": "3" }),
  "internal_error under 200": () => response(200, errorBody("internal_error")),
  invalid_client: () => response(401, { ...errorBody("invalid_client"), error_message: "verify jwt token error" }),
  access_deny: () => response(403, errorBody("access_deny")),
  redirect: () => response(307, "", { Location: "http://127.0.0.1:9/" }),
  malformed: (random) => response(200, random.oneOf(MALFORMED_BODIES)),
  oversized: (random) => ({ response: { body_bytes: random.oneOf([65_537, 1_000_000, 8_000_000]) } }),
  "just not oversized": () => ({ response: { body_bytes: 65_536, after: true } }),
} satisfies Record<string, (random: Random) => object>;

/** The name of a way in which Coze answers or fails. */
export type FaultKind = keyof typeof FAULTS;

/** All of them. */
export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[]; // an object literal has no other keys

/** A fault of that kind; where kinds differ in themselves, the random numbers decide. */
export function createFault(kind: FaultKind, random: Random): object {
  return FAULTS[kind](random);
}

function response(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): object {
  return { response: { status, body, headers } };
}

function errorBody(code: string) {
  return { error_code: code, error_message: "An error of the soak run.", error: code };
}
