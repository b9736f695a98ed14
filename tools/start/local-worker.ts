import { Hono } from "hono";
import { consoleLog } from "../../src/adapters/logging/console-log.ts";
import { TokenError } from "../../src/core/token-error.ts";
import type { AppEnv } from "../../src/http/app-env.ts";
import { createErrorHandler } from "../../src/http/error-response.ts";
import { requestId } from "../../src/http/request-id.ts";
import worker from "../../src/index.ts";
import { refusalFor } from "./local-access.ts";

/**
 * The Worker as `npm start` runs it: closed to foreign hosts and pages. The check is in the Worker, not in a proxy before
 * it, because wrangler opens more ports that lead to the Worker, and because `env` always has the settings in force.
 */
// biome-ignore lint/style/noDefaultExport: the runtime takes the default export of a Worker.
export default {
  fetch(request, env, context) {
    const refusal = refusalFor(request, env.ALLOWED_ORIGINS);
    return refusal === undefined ? worker.fetch(request, env, context) : refuse(request, refusal);
  },
} satisfies ExportedHandler<Env>;

/** Responds as the Worker does to a foreign origin: its error, without CORS headers. */
function refuse(request: Request, refusal: string): Response | Promise<Response> {
  return new Hono<AppEnv>()
    .onError(createErrorHandler(consoleLog))
    .use(requestId())
    .use(function refuse() {
      throw new TokenError("access_denied", refusal);
    })
    .fetch(request);
}
