import { type Attempt, readAttempt } from "./attempt.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Deployment } from "./deployment.ts";
import { judgeExchanges } from "./exchange-bound.ts";
import { tokenFailures } from "./token-check.ts";
import type { ArmedFaults } from "./troubles.ts";

/** What the emulator's list said in all rounds so far. */
export type ExchangeTotals = {
  /** By the Workers. */
  readonly attempts: number;
  /** So many there may have been. */
  readonly bound: number;
  /** Tokens that these attempts brought forth, lost ones included. */
  readonly issued: number;
};

export type Judge = {
  /** Compares what was noted in a round of so many seconds with the emulator's list, and lets go of both. */
  readonly judgeRound: (armed: ArmedFaults, seconds: number) => Promise<void>;
  readonly totals: () => ExchangeTotals;
};

/** Tokens of earlier rounds are handed out in later ones as well. */
const LONGEST_LIFE_MS = 86_400_000;

/** Creates the judge of a run, who remembers over all rounds which tokens were issued to whom. */
export function createJudge({ coze, places }: Deployment, chronicle: Chronicle): Judge {
  const { records, revocations, failures, tally } = chronicle;
  const kids = places.map(({ kid }) => kid);
  const issues = new Map<string, Attempt>();
  let totals: ExchangeTotals = { attempts: 0, bound: 0, issued: 0 };

  return {
    async judgeRound(armed, seconds) {
      const exchanges = await coze.exchanges();
      const attempts = exchanges.map((exchange) => readAttempt(exchange, kids));
      for (const [sha256, { at }] of issues) if (at < Date.now() - LONGEST_LIFE_MS) issues.delete(sha256);
      for (const attempt of attempts) if (attempt.sha256 !== null) issues.set(attempt.sha256, attempt);

      const verdict = judgeExchanges(attempts, records, issues, seconds);
      failures.push(...tokenFailures(records, issues, revocations), ...verdict.failures);
      totals = {
        attempts: totals.attempts + verdict.attempts,
        bound: totals.bound + verdict.bound,
        issued: totals.issued + attempts.filter(({ place, sha256 }) => place >= 0 && sha256 !== null).length,
      };
      for (const { fault } of exchanges) tally.count("struck", armed.get(fault ?? "") ?? "none");

      records.splice(0);
      armed.clear();
      await coze.forgetExchanges();
    },
    totals: () => totals,
  };
}
