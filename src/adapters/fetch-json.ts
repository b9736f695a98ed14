/** Discovery documents and key sets have a few kilobytes. */
const MAX_RESOURCE_BYTES = 256 * 1024;

/** The timeout of a request to an issuer or Turnstile. */
export const FETCH_TIMEOUT_MS = 5000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Fetches a JSON document of at most 256 KiB, without following redirects. The default of `init.signal` is a timeout of
 * 5 seconds.
 * @throws Error when the server is unreachable or too slow, or the response is too large, not successful or not JSON.
 */
export async function fetchJson(fetch: Fetch, url: string, init: RequestInit = {}): Promise<unknown> {
  const signal = init.signal ?? AbortSignal.timeout(FETCH_TIMEOUT_MS);
  const response = await fetch(url, { ...init, redirect: "manual", signal });
  if (!response.ok) throw new Error(`${url} responded with status ${response.status}`);

  const body = await readText(response, MAX_RESOURCE_BYTES);
  if (body === undefined) throw new Error(`${url} returned more than ${MAX_RESOURCE_BYTES} bytes`);
  return parseJson(body, url);
}

/** Replaces the error of JSON.parse, because that quotes the document. */
function parseJson(json: string, url: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error(`${url} returned something that is not JSON`);
  }
}

/** Reads the body of a response as a string, or returns `undefined` if it is larger than the limit. */
export async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  const announced = parseContentLength(response);
  if (announced !== undefined) return announced > maxBytes ? undefined : response.text();

  const decoder = new TextDecoder();
  let bytes = 0;
  let body = "";
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return undefined;
    body += decoder.decode(chunk, { stream: true });
  }
  return body + decoder.decode();
}

/** Returns the Content-Length, which HTTP enforces, unless the body is compressed: it can then have any size. */
function parseContentLength({ headers }: Response): number | undefined {
  const length = headers.get("Content-Length");
  return length === null || headers.has("Content-Encoding") ? undefined : Number(length);
}
