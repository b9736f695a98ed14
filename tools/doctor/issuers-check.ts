import { setTimeout as sleep } from "node:timers/promises";
import { createLocalJWKSet, type JWK } from "jose";
import { createIssuerKeys } from "../../src/adapters/auth/issuer-keys.ts";
import { ALGORITHMS } from "../../src/adapters/auth/jwt-verifier.ts";
import type { Caller, JwtRule } from "../../src/core/auth/caller.ts";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { networkErrorCode } from "../lib/network-error.ts";

const TIMEOUT_MS = 8000;
const MIN_MODULUS_BITS = 2048;
const HINT =
  "Use asymmetric signing keys there, RSA ones of 2048 bits or more: tokens signed with a shared secret are refused.";

/** Checks that the keys of every issuer can be fetched, and have the right form, with the Worker's own code. */
export async function checkIssuers(callers: readonly Caller[]): Promise<readonly Finding[]> {
  const rules = callers.flatMap(({ credentialRule }) => (credentialRule.kind === "jwt" ? [credentialRule] : []));
  const distinct = new Map(rules.map((rule) => [`${rule.issuer} ${rule.jwksUri}`, rule]));
  return Promise.all([...distinct.values()].map(checkIssuer));
}

async function checkIssuer(rule: JwtRule): Promise<Finding> {
  const name = `issuer ${rule.issuer}`;
  const pause = (milliseconds: number, signal?: AbortSignal) =>
    sleep(milliseconds, undefined, { ...(signal && { signal }) }).catch(() => undefined);
  const findKeys = createIssuerKeys({ fetch, now: Date.now, sleep: pause });
  try {
    const { keySet } = await findKeys(rule, () => undefined, Date.now() + TIMEOUT_MS);
    return await judgeKeys(name, keySet.jwks()?.keys ?? []);
  } catch (error) {
    const cause = (error as Error).cause ?? error; // the TokenError of findKeys keeps the reason as its cause
    const hint = "Copy issuer exactly as it is in the JWTs (the slash at the end counts), or set jwks_uri.";
    return failed(name, `its keys cannot be fetched: ${describeCause(cause)}`, hint);
  }
}

async function judgeKeys(name: string, keys: readonly JWK[]): Promise<Finding> {
  if (keys.length === 0) return failed(name, "publishes no keys", HINT);
  const accepted = await Promise.all(keys.map(isAccepted));
  const listed = keys.map(({ kty, alg }) => alg ?? kty).join(", ");
  if (accepted.includes(true)) return passed(name, `publishes keys: ${listed}`);
  return failed(name, `publishes no key that is accepted, only ${listed}`, HINT);
}

/** Whether the key verifies a JWT of some algorithm, for which RSA keys have to be long enough (RFC 7518, section 3.3). */
async function isAccepted(key: JWK): Promise<boolean> {
  const findKey = createLocalJWKSet({ keys: [key] });
  for (const alg of ALGORITHMS) {
    const found = await findKey({ alg }).catch(() => undefined);
    if (found === undefined) continue;
    const { modulusLength = MIN_MODULUS_BITS } = found.algorithm as { modulusLength?: number }; // RSA keys have one
    if (modulusLength >= MIN_MODULUS_BITS) return true;
  }
  return false;
}

function describeCause(cause: unknown): string {
  if (cause instanceof Error && cause.name === "$ZodError") return "the document lacks issuer and jwks_uri, or keys";
  return networkErrorCode(cause);
}
