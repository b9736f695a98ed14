import { createMiddleware } from "hono/factory";
import { toHex } from "./hex.ts";

/** What the emulator keeps for the length of one request. */
export type EmulatorEnv = { Variables: { logId: string } };

/** The header that identifies a call to the support of Coze. */
export const LOG_ID_HEADER = "X-Tt-Logid";

const RANDOM_BYTES = 10;

/** Coze stamps its log ids in the time of Beijing, UTC+8 all year round. */
const BEIJING_OFFSET_MS = 8 * 60 * 60 * 1000;

/**
 * Creates an id as Coze does: 34 characters, the time to the second (`20250427100721`) and 20 upper-case hex digits.
 * `now` is in Unix milliseconds.
 */
export function createLogId(now: number): string {
  const time = new Date(now + BEIJING_OFFSET_MS).toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  return time + toHex(random).toUpperCase();
}

/** Gives every request its log id and every response made with `c.json` its header. */
export function logId(now: () => number) {
  return createMiddleware<EmulatorEnv>(async function logId(c, next) {
    c.set("logId", createLogId(now()));
    c.header(LOG_ID_HEADER, c.get("logId"));
    await next();
  });
}
