import { compactVerify, decodeJwt, decodeProtectedHeader } from "jose";
import * as z from "zod";
import type { CozeApp, CozeApps } from "./apps.ts";
import {
  ASSERTION_INVALID,
  ASSERTION_MISSING,
  describeIssues,
  invalidClient,
  KID_NOT_REGISTERED,
  type Refusal,
} from "./coze-error.ts";
import { createExpiringMap } from "./expiring-map.ts";

/** What an assertion says of itself. Nothing in it is verified. */
export type DecodedAssertion = {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: { readonly iss?: unknown; readonly aud?: unknown; readonly [claim: string]: unknown };
};

/** The credential of one exchange request, unverified. */
export type PresentedAssertion = {
  /** The string after `Bearer `, or null when there is none. */
  readonly jwt: string | null;
  /** Null when that is not a JWT. */
  readonly decoded: DecodedAssertion | null;
};

/** How far in the future an `iat` may lie. Coze documents no tolerance; a minute forgives clocks, not mistakes. */
export const MAX_CLOCK_SKEW_SECONDS = 60;

/** The app and session that a verified assertion speaks for. */
export type VerifiedAssertion = { readonly app: CozeApp; readonly sessionName: string | null };

const headerSchema = z.object({ alg: z.literal("RS256"), typ: z.literal("JWT"), kid: z.string().min(1) });

/** The claims that Coze documents. Others are ignored, as RFC 7519 §4 says. */
const claimsSchema = z.object({
  iat: z.int(),
  exp: z.int(),
  jti: z.string().min(1),
  session_name: z.string().optional(),
  session_context: z
    .object({
      device_info: z.object({ device_id: z.string().optional(), custom_consumer: z.string().optional() }).optional(),
    })
    .optional(),
});

type DecodedClaims = z.infer<typeof claimsSchema>;

/** Reads the assertion out of an `Authorization` header. Coze documents the form `Bearer $JWT` and no other. */
export function readAssertion(authorization: string | undefined): PresentedAssertion {
  const jwt = authorization?.match(/^Bearer +(\S.*)$/)?.[1] ?? null;
  return { jwt, decoded: jwt === null ? null : decodeAssertion(jwt) };
}

/** The app that an assertion claims to be from, unverified; undefined when it names none. */
export function readIssuer(decoded: DecodedAssertion | null): string | undefined {
  const issuer = decoded?.claims.iss;
  return typeof issuer === "string" ? issuer : undefined;
}

/**
 * Creates the check of an assertion, which remembers every `jti` until its `exp`: Coze documents that a JWT works once only.
 * An assertion that passes is used up, whatever becomes of the rest of the request. `now` gives Unix milliseconds.
 */
export function createAssertionCheck({ apps, now }: { readonly apps: CozeApps; readonly now: () => number }) {
  const usedIds = createExpiringMap<true>(now);

  return async function checkAssertion({ jwt, decoded }: PresentedAssertion): Promise<VerifiedAssertion | Refusal> {
    if (jwt === null) return invalidClient(ASSERTION_MISSING, "authorization: no bearer assertion");
    if (decoded === null) return invalidClient(ASSERTION_INVALID, "assertion: is not a JWT");

    const header = headerSchema.safeParse(decoded.header);
    if (!header.success) return invalidClient(ASSERTION_INVALID, `assertion header: ${describeIssues(header.error)}`);

    const registered = registeredKey(apps, decoded, header.data.kid);
    if ("refused" in registered) return registered;
    if (!(await isSignedBy(registered.key, jwt))) return invalidClient(ASSERTION_INVALID, "assertion: wrong signature");

    const claims = claimsSchema.safeParse(decoded.claims);
    if (!claims.success) return invalidClient(ASSERTION_INVALID, `assertion claims: ${describeIssues(claims.error)}`);
    const untimely = timeProblem(claims.data, now() / 1000);
    if (untimely !== undefined) return invalidClient(ASSERTION_INVALID, untimely);

    const { app } = registered;
    const useId = JSON.stringify([app.clientId, claims.data.jti]);
    if (usedIds.get(useId)) return invalidClient(ASSERTION_INVALID, "jti: was used before");
    usedIds.set(useId, true, claims.data.exp);

    if (!app.active) return deactivated(app);
    return { app, sessionName: claims.data.session_name ?? null };
  };
}

/** Coze responds alike to an unknown app, an unknown key and the wrong region: one sentence covers the three. */
function registeredKey(
  apps: CozeApps,
  decoded: DecodedAssertion,
  kid: string,
): { app: CozeApp; key: CryptoKey } | Refusal {
  const app = apps.get(readIssuer(decoded) ?? "");
  if (app === undefined) return invalidClient(KID_NOT_REGISTERED, "iss: no such app");

  const key = app.keys.get(kid);
  if (key === undefined) return invalidClient(KID_NOT_REGISTERED, "kid: the app has no such key");
  if (decoded.claims.aud !== app.audience) return invalidClient(KID_NOT_REGISTERED, `aud: is not ${app.audience}`);
  return { app, key };
}

async function isSignedBy(key: CryptoKey, jwt: string): Promise<boolean> {
  return compactVerify(jwt, key, { algorithms: ["RS256"] }).then(
    () => true,
    () => false,
  );
}

function timeProblem({ iat, exp }: DecodedClaims, nowSeconds: number): string | undefined {
  if (exp <= iat) return "exp: is not later than iat";
  if (exp <= nowSeconds) return "exp: is over";
  if (iat > nowSeconds + MAX_CLOCK_SKEW_SECONDS) return "iat: is in the future";
  return undefined;
}

function deactivated(app: CozeApp): Refusal {
  const message = `app: ${app.name} is currently deactivated by the owner`;
  return { refused: "access_deny", message, problem: "iss: the app is deactivated" };
}

function decodeAssertion(jwt: string): DecodedAssertion | null {
  try {
    return { header: { ...decodeProtectedHeader(jwt) }, claims: decodeJwt(jwt) };
  } catch {
    return null;
  }
}
