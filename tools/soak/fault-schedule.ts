import type { Random } from "../lib/random.ts";
import type { KvTrouble } from "../workerd/kv-server.ts";

/** A time in which Coze and KV misbehave in one way. */
export type Period = {
  readonly name: string;
  readonly milliseconds: number;
  /** What strikes at Coze, one exchange each, or all exchanges of the period. */
  readonly faults: readonly ScheduledFault[];
  readonly kv: KvTrouble;
};

export type ScheduledFault = {
  readonly kind: FaultKind;
  /** As the emulator's control API takes it. */
  readonly fault: object;
};

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
  { access_token: "czs_with_a_string_for_a_time", expires_in: "soon" },
  { access_token: "czs_that_ended_long_ago", expires_in: 1_000_000_001 },
];

/** How Coze responds or fails. "none" takes a place in the emulator's queue as well, so that good responses come in between. */
const FAULTS = {
  none: () => ({ delay_ms: 0 }),
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

/** The name of a way in which Coze responds or fails. */
export type FaultKind = keyof typeof FAULTS;

/** All of them. */
export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[]; // an object literal has no other keys

/** Periods in which one fault, or one of a few, strikes every exchange. */
const STEADY: Readonly<Record<string, readonly FaultKind[]>> = {
  outage: ["503", "500", "502, a page"],
  throttled: ["429", "429, Retry-After 1", "429, Retry-After 3"],
  "no response": ["hangs"],
  "broken connections": ["drops the connection", "drops it late"],
  garbled: ["malformed", "oversized", "internal_error under 200"],
  slow: ["slow"],
};

/** In them each exchange gets another fault. */
const MIXED = ["mixed", "mixed again", "mixed once more"];
/** So many faults wait for the exchanges of a mixed period; once they are used up, Coze responds well. */
const MIXED_FAULTS = 100;
/** This share of them is none. */
const NO_FAULT_SHARE = 0.4;

const KV_TROUBLES: readonly KvTrouble[] = ["none", "failing", "hanging", "slow", "stale"];

/**
 * The faults of so many milliseconds: each kind of period comes once before any comes again, in an order that the random
 * numbers give, and the troubles of KV take turns beside them. Pure, but for the random numbers.
 */
export function faultSchedule(totalMs: number, periodMs: number, random: Random): readonly Period[] {
  const periods: Period[] = [];
  let scheduledMs = 0;
  while (scheduledMs < totalMs) {
    for (const name of random.shuffled([...Object.keys(STEADY), ...MIXED, "healthy"])) {
      const milliseconds = Math.min(Math.round(periodMs * (0.75 + random.next() / 2)), totalMs - scheduledMs);
      if (milliseconds <= 0) return periods;
      const kv = KV_TROUBLES[periods.length % KV_TROUBLES.length] ?? "none";
      periods.push({ name, milliseconds, faults: faultsFor(name, random), kv });
      scheduledMs += milliseconds;
    }
  }
  return periods;
}

/** A fault of that kind, as the emulator's control API takes it; where kinds vary, the random numbers decide. */
export function createFault(kind: FaultKind, random: Random): object {
  return FAULTS[kind](random);
}

function faultsFor(name: string, random: Random): readonly ScheduledFault[] {
  const steady = STEADY[name];
  if (steady !== undefined) {
    const kind = random.oneOf(steady);
    return [{ kind, fault: { ...createFault(kind, random), times: null } }];
  }
  return MIXED.includes(name) ? Array.from({ length: MIXED_FAULTS }, () => mixedFault(random)) : [];
}

function mixedFault(random: Random): ScheduledFault {
  const kind = random.chance(NO_FAULT_SHARE) ? "none" : random.oneOf(FAULT_KINDS);
  return { kind, fault: createFault(kind, random) };
}

function response(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): object {
  return { response: { status, body, headers } };
}

function errorBody(code: string) {
  return { error_code: code, error_message: "An error of the soak run.", error: code };
}
