import { AsyncLocalStorage } from "node:async_hooks";
import { format } from "node:util";
import { Hono } from "hono";
import { consoleLog } from "../../src/adapters/logging/console-log.ts";
import type { WorkerEnv } from "../../src/config/settings.ts";
import type { LocalRequest } from "../../src/console/local-types.ts";
import { TokenError } from "../../src/core/token-error.ts";
import type { AppEnv } from "../../src/http/app-env.ts";
import { createErrorHandler } from "../../src/http/error-response.ts";
import { requestId } from "../../src/http/request-id.ts";
import worker from "../../src/index.ts";
import { refusalFor } from "./local-access.ts";
import { createLocalApi } from "./local-api.ts";
import { formatWorkerLine, PROBE_REQUEST_ID, type RequestReport, type WorkerLine } from "./worker-line.ts";

/** What the Worker logs of the request that is being served, and its response does not tell. */
type TokenFacts = { caller?: string; cache?: string };

/** How many requests the console shows. */
const MAX_REQUESTS = 20;

/** The latest first. */
let requests: readonly LocalRequest[] = [];

const served = new AsyncLocalStorage<TokenFacts>();
const print = console.log.bind(console);

// wrangler would decorate warnings and errors, and print them to another stream, in any order.
for (const level of ["debug", "error", "info", "log", "warn"] as const) {
  console[level] = (...values: readonly unknown[]) => {
    const logged = format(...values);
    Object.assign(served.getStore() ?? {}, tokenFacts(logged));
    printLine({ logged });
  };
}

/**
 * The Worker as `npm start` runs it: closed to foreign hosts and pages, and with a line for each request. The check is in
 * the Worker, not in a proxy before it, because wrangler opens more ports that lead to the Worker, and because `env`
 * always has the settings in force.
 */
// biome-ignore lint/style/noDefaultExport: the runtime takes the default export of a Worker.
export default {
  async fetch(request, env, context) {
    const startedAt = Date.now();
    const facts: TokenFacts = {};
    const response = await served.run(facts, () => serve(request, env, context));

    // The console itself asks for what it shows of this machine.
    const path = new URL(request.url).pathname;
    if (response.headers.get("X-Request-Id") === PROBE_REQUEST_ID || isLocalPath(path)) return response;
    const report = {
      method: request.method,
      path,
      status: response.status,
      ...facts,
      durationMs: Date.now() - startedAt,
      ...(await readError(response)),
    };
    requests = [{ time: startedAt, ...report }, ...requests].slice(0, MAX_REQUESTS);
    printLine({ request: report });
    return response;
  },
} satisfies ExportedHandler<WorkerEnv>;

function serve(...[request, env, context]: Parameters<typeof worker.fetch>): Response | Promise<Response> {
  const refusal = refusalFor(request, env.ALLOWED_ORIGINS);
  if (refusal !== undefined) return refuse(request, refusal);
  if (!isLocalPath(new URL(request.url).pathname)) return worker.fetch(request, env, context);
  return createLocalApi({ env, waitUntil: (work) => context.waitUntil(work), requests }).fetch(request);
}

function isLocalPath(path: string): boolean {
  return path.startsWith("/local/");
}

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

function printLine(line: WorkerLine): void {
  print(formatWorkerLine(line));
}

/** Empty for anything but a `token_request` event. */
function tokenFacts(logged: string): TokenFacts {
  if (!logged.includes('"event":"token_request"')) return {};
  const { caller, cache } = JSON.parse(logged);
  return { caller, cache };
}

/** The error in the body of a response, which stays unread. */
async function readError(response: Response): Promise<Pick<RequestReport, "error" | "description" | "problems">> {
  if (response.ok || response.headers.get("Content-Type") !== "application/json") return {};
  const { error, error_description: description, problems } = await response.clone().json<ErrorBody>();
  return { error, description, problems };
}

type ErrorBody = Pick<RequestReport, "error" | "problems"> & { readonly error_description?: string };
