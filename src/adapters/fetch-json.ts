/** Discovery documents and key sets have some kilobytes. */
const MAX_RESOURCE_BYTES = 256 * 1024;

/** How long an issuer, or Turnstile, may take. */
export const FETCH_TIMEOUT_MS = 5000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Fetches a JSON document over the network, with a size limit, following no redirect, until `init.signal` aborts, or
 * else for five seconds.
 * @throws Error when it cannot be had: unreachable, too slow, too large, not 200, not JSON.
 */
export async function fetchJson(fetch: Fetch, url: string, init: RequestInit = {}): Promise<unknown> {
  const signal = init.signal ?? AbortSignal.timeout(FETCH_TIMEOUT_MS);
  const response = await fetch(url, { ...init, redirect: "manual", signal });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);

  const text = await readText(response, MAX_RESOURCE_BYTES);
  if (text === undefined) throw new Error(`${url} answered more than ${MAX_RESOURCE_BYTES} bytes`);
  return parseJson(text, url);
}

/** The error of JSON.parse quotes the document, so it goes no further. */
function parseJson(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${url} answered something that is not JSON`);
  }
}

/** The body of an answer as text, or `undefined` once it is larger than the limit. */
export async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  const announced = announcedBytes(response);
  if (announced !== undefined) return announced > maxBytes ? undefined : response.text();

  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The length that HTTP holds an answer to, so that it need not be counted; a compressed one unfolds to any length. */
function announcedBytes({ headers }: Response): number | undefined {
  const length = headers.get("Content-Length");
  return length === null || headers.has("Content-Encoding") ? undefined : Number(length);
}
