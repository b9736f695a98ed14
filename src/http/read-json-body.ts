import { TokenError } from "../core/token-error.ts";
import { hasMediaType, readBody } from "./read-body.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * Reads a JSON body within the bounds of {@link readBody}. Returns `undefined` when the body is missing or empty.
 * @throws TokenError `payload_too_large`, `unsupported_media_type`, or `invalid_request` (invalid or incomplete JSON).
 */
export async function readJsonBody(request: Request, maxMs: number): Promise<unknown> {
  const bytes = await readBody(request, maxMs);
  if (bytes === undefined) return undefined;

  if (!hasMediaType(request, "application/json")) {
    throw new TokenError(
      "unsupported_media_type",
      "The body must be JSON, with the header Content-Type: application/json.",
    );
  }
  try {
    return JSON.parse(decodeUtf8(bytes));
  } catch {
    // The parser's message quotes the body, so it must not become the cause, which is logged.
    throw new TokenError("invalid_request", "The body is not valid JSON.");
  }
}
