import { TokenError } from "../core/token-error.ts";
import { hasMediaType, readBody } from "./read-body.ts";
import { decodeUtf8 } from "./utf8.ts";

const FORM = "application/x-www-form-urlencoded";

/** What no percent-encoder writes. URLSearchParams would go on with some other value than the client meant. */
const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;

/** A name that an error may quote: longer ones, and stranger ones, may be a credential in the wrong place. */
const QUOTABLE_NAME = /^[\w.-]{1,32}$/;

/**
 * Reads the parameters of a form-encoded body (RFC 6749 §3.2) within the bounds of {@link readBody}. A parameter
 * without a value counts as left out.
 * @throws TokenError `payload_too_large`, `unsupported_media_type`, or `invalid_request` for a body that is incomplete or
 * wrongly encoded, and for a parameter that is repeated.
 */
export async function readFormBody(request: Request, maxMs: number): Promise<ReadonlyMap<string, string>> {
  const bytes = await readBody(request, maxMs);
  if (bytes === undefined) return new Map();

  if (!hasMediaType(request, FORM)) {
    throw new TokenError("unsupported_media_type", `The body must be a form, with the header Content-Type: ${FORM}.`);
  }
  return parseForm(bytes);
}

function parseForm(bytes: Uint8Array): ReadonlyMap<string, string> {
  const seen = new Set<string>();
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(decodeForm(bytes))) {
    if (seen.has(name)) {
      const what = QUOTABLE_NAME.test(name) ? `The parameter ${name}` : "A parameter";
      throw new TokenError("invalid_request", `${what} is repeated. Send it once.`);
    }
    seen.add(name);
    if (value !== "") parameters.set(name, value);
  }
  return parameters;
}

function decodeForm(bytes: Uint8Array): string {
  try {
    const form = decodeUtf8(bytes);
    if (!BROKEN_ESCAPE.test(form)) return form;
  } catch {
    // Not UTF-8: reported below.
  }
  throw new TokenError("invalid_request", "The body is not a valid form: check its percent-encoding.");
}
