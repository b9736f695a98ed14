import { TokenError } from "../core/token-error.ts";

/** The largest body that makes sense here has a few hundred bytes. */
export const MAX_BODY_BYTES = 16 * 1024;

/**
 * Reads a JSON body of at most 16 KiB; without one, or with an empty one, `undefined`.
 * @throws TokenError `payload_too_large`, `unsupported_media_type`, or `invalid_request` for what is not JSON or not all there.
 */
export async function readJsonBody(request: Request): Promise<unknown> {
  // Browsers announce an empty body, which costs a stream to find empty.
  if (request.body === null || request.headers.get("Content-Length") === "0") return undefined;
  const bytes = await readBytes(request.body).catch((cause: unknown) => {
    throw new TokenError("invalid_request", "The body ended before it was complete.", { cause });
  });
  if (bytes === undefined) {
    throw new TokenError("payload_too_large", `The body is larger than ${MAX_BODY_BYTES} bytes.`);
  }
  if (bytes.length === 0) return undefined;

  const contentType = request.headers.get("Content-Type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(contentType)) {
    throw new TokenError(
      "unsupported_media_type",
      "The body must be JSON, with the header Content-Type: application/json.",
    );
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch (cause) {
    throw new TokenError("invalid_request", "The body is not valid JSON.", { cause });
  }
}

/** The bytes of a body, or `undefined` once there are more than 16 KiB. */
async function readBytes(body: ReadableStream<Uint8Array>): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(MAX_BODY_BYTES);
  let length = 0;
  for await (const chunk of body) {
    if (length + chunk.length > MAX_BODY_BYTES) return undefined;
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes.subarray(0, length);
}
