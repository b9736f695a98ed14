import { performance } from "node:perf_hooks";
import { readText } from "../../src/adapters/fetch-json.ts";

const TIMEOUT_MS = 15_000;
/** The console, the longest that the service sends, is far below. */
const MAX_BODY_BYTES = 64 * 1024;

/** What a service has responded. */
export type ServiceResponse = {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed, if it is JSON of at most 64 KiB. */
  readonly body: unknown;
  /** From the request to the end of the response. */
  readonly milliseconds: number;
};

/** Sends one request to a service. */
export type Send = (
  method: string,
  path: string,
  headers?: Readonly<Record<string, string>>,
) => Promise<ServiceResponse>;

/** Creates the client of a service. It follows no redirects, and rejects when there is no response within 15 seconds. */
export function createSend(url: URL): Send {
  return async function send(method, path, headers = {}) {
    const startedAt = performance.now();
    const response = await fetch(new URL(path, url), {
      method,
      headers: { "User-Agent": "coze-token-worker-doctor", ...headers },
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await readText(response, MAX_BODY_BYTES);
    const { status } = response;
    return { status, headers: response.headers, body: parseJson(text), milliseconds: performance.now() - startedAt };
  };
}

function parseJson(text = ""): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
