import { sha256Hex } from "../lib/sha256.ts";
import { type ReadAnswer, readAnswer } from "./answer-check.ts";
import { type Asked, ask, type Outcome } from "./asking.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Deployment } from "./deployment.ts";
import type { HandedToken } from "./request-record.ts";

/** A request to make; it gets its id when it is made. */
export type Call = Omit<Asked, "id">;

/** What came of a call. */
export type Called = {
  readonly id: string;
  /** Absent when no token came. */
  readonly accessToken: string | undefined;
  readonly isRefused: boolean;
};

/** Makes a request, uses the token it brings at Coze, and notes all of it. */
export type Caller = (call: Call) => Promise<Called>;

/** Creates a caller that numbers its requests; `leave` makes all of its clients leave. */
export function createCaller(
  { places, coze }: Pick<Deployment, "places" | "coze">,
  { tally, failures, records }: Chronicle,
  leave: AbortSignal,
): Caller {
  let made = 0;

  return async function call(unnamed) {
    made += 1;
    const asked = { ...unnamed, id: `soak-${made}` };
    tally.count("request", `to place ${asked.place + 1}`);
    const outcome = await ask(urlOf(asked.place), asked, leave);
    const read = readOutcome(asked, outcome);
    const handed = await tryToken(outcome, read);

    records.push({ asked, sentAt: outcome.sentAt, ending: read.ending, handed });
    failures.push(...read.faults.map((problem) => ({ check: "answer" as const, requestId: asked.id, problem })));
    return { id: asked.id, accessToken: read.token?.accessToken, isRefused: handed?.refusedAt !== undefined };
  };

  function urlOf(index: number): string {
    const place = places[index];
    if (place === undefined) throw new Error(`There is no place ${index}.`);
    return place.workerd.url;
  }

  function readOutcome(asked: Asked, outcome: Outcome): ReadAnswer {
    tally.count("outcome", outcome.kind === "answered" ? String(outcome.status) : outcome.kind);
    if (outcome.kind === "left") {
      tally.count("left", asked.leave?.by ?? "the run was ended");
      return { ending: "left", faults: [] };
    }
    if (outcome.kind === "unanswered") return { ending: "unanswered", faults: [`no answer: ${outcome.problem}`] };

    const read = readAnswer(asked, outcome, outcome.sentAt, outcome.receivedAt);
    tally.noteLatency(outcome.receivedAt - outcome.sentAt);
    tally.count(read.token === undefined ? "error" : "cache status", read.ending);
    return read;
  }

  async function tryToken(outcome: Outcome, { token }: ReadAnswer): Promise<HandedToken | undefined> {
    if (token === undefined || outcome.kind !== "answered") return undefined;
    const isAccepted = await coze.accepts(token.accessToken);
    tally.count("token", isAccepted ? "accepted by Coze" : "refused by Coze");
    return {
      sha256: sha256Hex(token.accessToken),
      expiresAtSeconds: token.expiresAt,
      receivedAt: outcome.receivedAt,
      refusedAt: isAccepted ? undefined : Date.now(),
    };
  }
}
