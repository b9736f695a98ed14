import * as z from "zod";
import type { Answer, Asked } from "./asking.ts";
import { type ExpectedErrors, parseJson, readErrorAnswer } from "./error-answer.ts";

/** Every request is answered within so many, whatever hangs. */
const ANSWER_BUDGET_MS = 12_000;
/** For a busy machine: all processes of a run share its processors, and a test run has others beside it. */
const ANSWER_MARGIN_MS = 4000;

/** An answer that takes longer than this is late. */
export const MAX_ANSWER_MS = ANSWER_BUDGET_MS + ANSWER_MARGIN_MS;

/** The requests of a run are right, and so are the settings: all that can go wrong is Coze. */
const UPSTREAM_ERRORS: ExpectedErrors = {
  upstream_rejected: 502,
  upstream_invalid_response: 502,
  upstream_unavailable: 503,
  upstream_timeout: 504,
};

const CACHE_STATUS =
  /^coze-token-worker; (hit; ttl=\d+(?:; detail=stale-on-error)?|fwd=miss; (?:stored|collapsed); ttl=\d+)$/;

const tokenBody = z.strictObject({
  access_token: z.string().min(1),
  expires_in: z.int(),
  token_type: z.literal("Bearer"),
});

/** What an answer says, and all that is wrong with it in itself. */
export type ReadAnswer = {
  /** `hit`, `stale`, `miss`, `collapsed`, or the code of an error. */
  readonly ending: string;
  readonly token?: { readonly accessToken: string; readonly expiresAt: number };
  readonly faults: readonly string[];
};

/** Reads an answer: a token that is alive in time, or one of the errors that Coze can cause. Times in milliseconds. */
export function readAnswer(asked: Asked, answer: Answer, sentAt: number, receivedAt: number): ReadAnswer {
  const { headers } = answer;
  const tookMs = receivedAt - sentAt;
  const faults = [
    ...(tookMs <= MAX_ANSWER_MS ? [] : [`took ${tookMs} ms, more than ${MAX_ANSWER_MS}`]),
    ...(headers.get("X-Request-Id") === asked.id ? [] : ["has another X-Request-Id than the request"]),
    ...(headers.get("Content-Type") === "application/json" ? [] : ["is not JSON by its Content-Type"]),
    ...(headers.get("Cache-Control") === "no-store" ? [] : ["may be stored by its Cache-Control"]),
  ];
  if (answer.status !== 200) {
    const error = readErrorAnswer(answer, UPSTREAM_ERRORS);
    return { ending: error.code ?? "of another shape", faults: [...faults, ...error.faults] };
  }

  const body = tokenBody.safeParse(parseJson(answer.text));
  const status = headers.get("Cache-Status") ?? "";
  if (!body.success || !CACHE_STATUS.test(status)) {
    return { ending: "of another shape", faults: [...faults, "is a 200 that is not a token with its Cache-Status"] };
  }
  const { access_token: accessToken, expires_in: expiresAt } = body.data;
  return {
    ending: endingOf(status),
    token: { accessToken, expiresAt },
    faults: [...faults, ...(expiresAt * 1000 > receivedAt ? [] : ["carries a token that is over"])],
  };
}

function endingOf(cacheStatus: string): string {
  if (cacheStatus.endsWith("stale-on-error")) return "stale";
  if (cacheStatus.includes("hit")) return "hit";
  return cacheStatus.includes("collapsed") ? "collapsed" : "miss";
}
