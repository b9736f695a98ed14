import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { PROBE_REQUEST_ID } from "./worker-line.ts";

const POLL_MS = 100;

/** wrangler now and then loses a request while it starts; the next one gets a response. */
const ATTEMPT_MS = 5000;

const health = z.union([
  z.object({ status: z.literal("ok"), access: z.enum(["open", "closed"]) }),
  z.object({
    status: z.literal("misconfigured"),
    problems: z.array(z.object({ setting: z.string(), problem: z.string() })),
  }),
]);

/** What `GET /health` says. */
export type HealthReport = z.infer<typeof health>;

/** Asks the Worker at `url` for its health until it responds, for ever. */
export async function waitForHealth(url: string): Promise<HealthReport> {
  for (;;) {
    const found = await fetchHealth(url);
    if (found !== undefined) return found;
    await sleep(POLL_MS);
  }
}

/** Undefined while nothing responds, or only wrangler does because the Worker cannot run. */
async function fetchHealth(url: string): Promise<HealthReport | undefined> {
  try {
    const response = await fetch(new URL("/health", url), {
      headers: { "X-Request-Id": PROBE_REQUEST_ID },
      signal: AbortSignal.timeout(ATTEMPT_MS),
    });
    return health.safeParse(await response.json()).data;
  } catch {
    return undefined;
  }
}
