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
  readonly weather: () => string;
  readonly noteWeather: (weather: string) => void;
};

export function createChronicle(): Chronicle {
  let weather = "fair";
  return {
    tally: createTally(),
    failures: [],
    records: [],
    revocations: [],
    weather: () => weather,
    noteWeather: (next) => {
      weather = next;
    },
  };
}
