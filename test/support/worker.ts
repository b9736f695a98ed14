import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";

export const ORIGIN = "https://token.example.com";

/** The shipped Worker in an isolate of its own. */
export type TestWorker = {
  /** Sends a request and waits for the answer, but not for what the Worker does after it. */
  readonly answer: (path: string, init?: RequestInit) => Promise<Response>;
  /** Sends a request and waits for the answer and for what the Worker does after it. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** `POST /`, for a user when one is given. */
  readonly post: (userId?: string, init?: RequestInit) => Promise<Response>;
};

/**
 * Starts the Worker as index.ts exports it, with the bindings of wrangler.toml and these settings.
 * Its modules are loaded anew, so that nothing an isolate remembers is shared with another Worker of the test.
 */
export async function startWorker(settings: Readonly<Record<string, unknown>>): Promise<TestWorker> {
  vi.resetModules();
  const { default: worker } = await import("../../src/index.ts");
  // The limiters of the run count all tests of a minute together: who tests a limit brings one.
  const unlimited: Record<string, unknown> = { ...env, RATE_LIMITER: undefined, EXCHANGE_LIMITER: undefined };
  // A binding that is not there is one of the variants of the environment.
  const workerEnv = { ...unlimited, ...settings } as unknown as Env;

  async function send(path: string, init?: RequestInit): Promise<Response> {
    const context = createExecutionContext();
    const response = await answer(path, init, context);
    await waitOnExecutionContext(context);
    return response;
  }

  function answer(path: string, init?: RequestInit, context = createExecutionContext()): Promise<Response> {
    // The type is that of a request from the network, which has more properties than one made here.
    const request = new Request(ORIGIN + path, init) as Request<unknown, IncomingRequestCfProperties>;
    return worker.fetch(request, workerEnv, context);
  }

  return {
    answer: (path, init) => answer(path, init),
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

/** The members of a JSON answer. */
export async function membersOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>; // every answer of the Worker is a JSON object
}
