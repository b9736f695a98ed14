import type { Failure } from "./failure.ts";
import type { RequestRecord, Revocation } from "./request-record.ts";
import { createTally, type Tally } from "./tally.ts";

/** What a run has noted so far. */
export type Chronicle = {
  readonly tally: Tally;
  readonly failures: Failure[];
  /** Of the round under way. */
  readonly records: RequestRecord[];
  readonly revocations: Revocation[];
};

export function createChronicle(): Chronicle {
  return { tally: createTally(), failures: [], records: [], revocations: [] };
}
