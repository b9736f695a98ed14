import { randomBytes } from "node:crypto";
import { deriveLogKey } from "../../src/adapters/cache/sealing.ts";
import { createCozeEndpoint } from "../../src/adapters/coze/coze-endpoint.ts";
import { importPrivateKey } from "../../src/adapters/coze/private-key.ts";
import { createSigner } from "../../src/adapters/coze/signer.ts";
import { createDigester } from "../../src/adapters/logging/digester.ts";
import { assertionClaims } from "../../src/core/token/assertion.ts";
import { isKeyRefusal, isUnknownKey, TokenError } from "../../src/core/token-error.ts";
import { printableLine } from "./printable.ts";

/** What an exchange needs of the settings. */
export type ExchangeSettings = {
  readonly clientId: string;
  readonly kid: string;
  /** In any form in which it can be pasted. */
  readonly privateKey: string;
  readonly audience: string;
  readonly tokenEndpoint: string;
};

/** What came of one exchange: a token, or why there is none. */
export type Exchanged =
  | { readonly accessToken: string; readonly secondsLeft: number; readonly logId: string | undefined }
  | { readonly refusal: Refusal };

/** Why an exchange has given no token: what the Worker says about it, and what Coze says. */
export type Refusal = {
  /** The error of the Worker: README.md, Errors. */
  readonly code: string;
  /** What to do about it, in the Worker's words. */
  readonly description: string;
  /** What Coze said. */
  readonly coze: string | undefined;
  readonly logId: string | undefined;
  /** Whether Coze refuses the key, as it does when the app is of the other region. */
  readonly isKeyRefusal: boolean;
  /** Whether Coze does not know the key, which may pass if that is new there. */
  readonly isUnknownKey: boolean;
};

/** So that a slow network is no reason to give up. */
const TIMEOUT_MS = 10_000;

/** The shortest life that Coze's documents have an example of: the token is only tried, and then forgotten. */
const TOKEN_SECONDS = 900;
const ASSERTION_SECONDS = 600;
const ASSERTION_ID_BYTES = 32;

/**
 * Exchanges one assertion for a token, once, with the Worker's own code.
 * @throws TypeError when the private key is not one that the Worker accepts.
 */
export async function tryExchange(settings: ExchangeSettings): Promise<Exchanged> {
  const key = await importPrivateKey(settings.privateKey);
  if ("issues" in key) throw new TypeError("the private key has to be checked before it is used");

  const now = Date.now;
  const issuedAt = Math.floor(now() / 1000);
  const claims = assertionClaims(
    { ...settings, assertionDurationSeconds: ASSERTION_SECONDS },
    undefined,
    issuedAt,
    randomBytes(ASSERTION_ID_BYTES).toString("base64url"),
  );
  const digester = createDigester(await deriveLogKey(key.value.derivationKey));
  const requestToken = createCozeEndpoint({ tokenEndpoint: settings.tokenEndpoint, fetch, digester, now });
  try {
    const jws = await createSigner(key.value.signingKey, settings.kid)(claims);
    const grant = { userId: undefined, durationSeconds: TOKEN_SECONDS, scope: undefined };
    const { token, logId } = await requestToken({ jws, issuedAt }, grant, TIMEOUT_MS);
    return { accessToken: token.accessToken, secondsLeft: token.expiresAt - issuedAt, logId };
  } catch (error) {
    if (error instanceof TokenError) return { refusal: refusalFor(error) };
    throw error;
  }
}

/** Tells whether Coze was not reached, which says nothing about the app and may pass. */
export function isUnreachable({ code }: Refusal): boolean {
  return code === "upstream_unavailable" || code === "upstream_timeout";
}

/** Describes a refusal in one line: the Worker's sentence, then Coze's. */
export function describeRefusal({ code, description, coze }: Refusal): string {
  const said = coze === undefined ? "" : ` Coze says: ${printableLine(coze)}`;
  return `${code}: ${description}${said}`.replace(/[^.!?。！？]$/u, "$&.");
}

function refusalFor({ code, message, details: { coze } }: TokenError): Refusal {
  return {
    code,
    description: message,
    coze: coze?.error_message,
    logId: coze?.log_id,
    isKeyRefusal: coze !== undefined && isKeyRefusal(coze),
    isUnknownKey: coze !== undefined && isUnknownKey(coze),
  };
}
