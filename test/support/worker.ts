import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { version } from "../../package.json";
import type { WorkerEnv } from "../../src/config/settings.ts";
import { undocumentedParts } from "./api-description.ts";

export const ORIGIN = "https://token.example.com";

/** What `/health` says about the code that is tested. */
export const RELEASE = { version, deployment: env.CF_VERSION_METADATA.id };

/** The shipped Worker in an isolate of its own. A response that docs/openapi.json does not describe is an error. */
export type TestWorker = {
  /** Sends a request and waits for the response, but not for what the Worker does after it. */
  readonly respond: (path: string, init?: RequestInit) => Promise<Response>;
  /** Sends a request and waits for the response and for what the Worker does after it. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** `POST /`, for a user when one is given. */
  readonly post: (userId?: string, init?: RequestInit) => Promise<Response>;
};

let started = 0;

/**
 * Starts the Worker as index.ts exports it, with the bindings of wrangler.toml and these settings.
 * index.ts, which holds all that an isolate remembers, is loaded anew for each Worker; the modules below it, which hold
 * none of that, are evaluated once per test file.
 */
export async function startWorker(settings: Readonly<Record<string, unknown>>): Promise<TestWorker> {
  started += 1;
  const { default: worker } = (await import(
    /* @vite-ignore */ `../../src/index.ts?worker=${started}`
  )) as typeof import("../../src/index.ts"); // the query makes another instance of the same module
  // The limiters of the run count all tests of a minute together: a test of a limit brings one.
  const workerEnv: WorkerEnv = { ...env, RATE_LIMITER: undefined, EXCHANGE_LIMITER: undefined, ...settings };

  async function send(path: string, init?: RequestInit): Promise<Response> {
    const context = createExecutionContext();
    const response = await respond(path, init, context);
    await waitOnExecutionContext(context);
    return response;
  }

  async function respond(path: string, init?: RequestInit, context = createExecutionContext()): Promise<Response> {
    // The type is that of a request from the network, which has more properties than one made here.
    const request = new Request(ORIGIN + path, init) as Request<unknown, IncomingRequestCfProperties>;
    const response = await worker.fetch(request, workerEnv, context);
    const sent = { method: request.method, path: new URL(request.url).pathname };
    const issues = await undocumentedParts(sent, response);
    if (issues.length > 0) throw new Error(`${sent.method} ${path} ${response.status}: ${issues.join(" ")}`);
    return response;
  }

  return {
    respond: (path, init) => respond(path, init),
    fetch: send,
    post: (userId, init) =>
      send("/", {
        ...init,
        method: "POST",
        headers: {
          ...Object.fromEntries(new Headers(init?.headers)),
          ...(userId !== undefined && { "X-User-ID": userId }),
        },
      }),
  };
}

/** A JSON body with its header. */
export function json(body: unknown): RequestInit {
  return { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** The properties of a JSON response. */
export async function propertiesOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>; // every response of the Worker is a JSON object
}
