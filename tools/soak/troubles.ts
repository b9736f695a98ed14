import type { Chronicle } from "./chronicle.ts";
import type { Deployment } from "./deployment.ts";
import { pause } from "./pause.ts";
import type { FaultKind } from "./upstream-fault.ts";
import type { Period } from "./weather.ts";

/** What the ids of armed faults stand for. */
export type ArmedFaults = Map<string, FaultKind>;

/** Lets the periods pass over Coze and KV, one after the other, until the last or the signal; then all is well again. */
export async function runTroubles(
  { coze, kv }: Pick<Deployment, "coze" | "kv">,
  periods: readonly Period[],
  armed: ArmedFaults,
  { tally, noteWeather }: Pick<Chronicle, "tally" | "noteWeather">,
  end: AbortSignal,
): Promise<void> {
  for (const { name, milliseconds, faults, kv: trouble } of periods) {
    if (end.aborted) break;
    noteWeather(`${name}, KV ${trouble}`);
    tally.count("weather", name);
    tally.count("KV", trouble);
    kv.setTrouble(trouble);
    for (const { kind, fault } of faults) {
      armed.set(await coze.arm(fault), kind);
      tally.count("armed", kind);
    }
    await pause(milliseconds, end);
    await coze.disarm();
  }
  kv.setTrouble("none");
  noteWeather("calm");
}
