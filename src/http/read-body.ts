import { TokenError } from "../core/token-error.ts";

/** Valid bodies have a few hundred bytes; a scope has at most 2 KiB. */
export const MAX_BODY_BYTES = 16 * 1024;

/** A few kilobytes arrive at once, or something is wrong. */
const MAX_BODY_MS = 5000;

/**
 * Reads a body of at most 16 KiB, waiting 5 seconds or `maxMs`, whichever is less. Returns `undefined` when the body is
 * missing or empty.
 * @throws TokenError `payload_too_large`, or `invalid_request` for a body that does not arrive in time or completely.
 */
export async function readBody(request: Request, maxMs: number): Promise<Uint8Array | undefined> {
  // Browsers send `Content-Length: 0` with an empty body; checking it avoids reading a stream.
  if (request.body === null || request.headers.get("Content-Length") === "0") return undefined;
  const bytes = await readBytes(request, request.body, Math.min(MAX_BODY_MS, maxMs));
  if (bytes === undefined) {
    throw new TokenError("payload_too_large", `The body is larger than ${MAX_BODY_BYTES} bytes.`);
  }
  return bytes.length === 0 ? undefined : bytes;
}

/** Tells whether the header `Content-Type` names a media type, in any case and with any parameters. */
export function hasMediaType({ headers }: Request, mediaType: string): boolean {
  const contentType = headers.get("Content-Type") ?? "";
  return contentType.replace(/;.*/, "").trim().toLowerCase() === mediaType;
}

/** Returns the bytes of a body, or `undefined` if there are more than 16 KiB. */
async function readBytes(
  request: Request,
  body: ReadableStream<Uint8Array>,
  maxMs: number,
): Promise<Uint8Array | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooSlow = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TokenError("invalid_request", "The body did not arrive in time.")), maxMs);
  });
  try {
    return await Promise.race([collectBytes(request, body), tooSlow]);
  } catch (cause) {
    if (cause instanceof TokenError) throw cause;
    throw new TokenError("invalid_request", "The body ended before it was complete.", { cause });
  } finally {
    clearTimeout(timer);
  }
}

async function collectBytes(request: Request, body: ReadableStream<Uint8Array>): Promise<Uint8Array | undefined> {
  // HTTP enforces Content-Length, and reading a small body at once takes a third of the time of a stream.
  const length = request.headers.get("Content-Length") ?? "";
  if (/^\d+$/.test(length) && Number(length) <= MAX_BODY_BYTES) return new Uint8Array(await request.arrayBuffer());

  const bytes = new Uint8Array(MAX_BODY_BYTES);
  let received = 0;
  for await (const chunk of body) {
    if (received + chunk.length > MAX_BODY_BYTES) return undefined;
    bytes.set(chunk, received);
    received += chunk.length;
  }
  return bytes.subarray(0, received);
}
