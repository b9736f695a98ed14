import type { WorkerEnv } from "../../src/config/settings.ts";
import worker from "../../src/index.ts";

/** Raw workerd has no rate limiter; the Worker is measured with one that lets everything pass. */
const LIMITER: RateLimit = { limit: async () => ({ success: true }) };

let limited: WorkerEnv | undefined;

// biome-ignore lint/style/noDefaultExport: the runtime takes the default export of a Worker.
export default {
  fetch(request, env, context) {
    limited ??= { ...env, RATE_LIMITER: LIMITER, EXCHANGE_LIMITER: LIMITER };
    return worker.fetch(request, limited, context);
  },
} satisfies ExportedHandler<WorkerEnv>;
