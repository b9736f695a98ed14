import { setTimeout as sleep } from "node:timers/promises";
import { createIssuerKeys } from "../../src/adapters/auth/issuer-keys.ts";
import type { Caller, JwtRule } from "../../src/core/auth/caller.ts";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { networkErrorCode } from "../lib/network-error.ts";

const TIMEOUT_MS = 8000;

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
    const keys = keySet.jwks()?.keys ?? [];
    if (keys.length === 0) {
      return failed(
        name,
        "publishes no keys",
        "Use asymmetric signing keys there: tokens signed with a shared secret are refused.",
      );
    }
    return passed(name, `publishes keys: ${keys.map(({ kty, alg }) => alg ?? kty).join(", ")}`);
  } catch (error) {
    const cause = (error as Error).cause ?? error; // the TokenError of findKeys keeps the reason as its cause
    const hint = "Copy issuer exactly as it is in the JWTs (the slash at the end counts), or set jwks_uri.";
    return failed(name, `its keys cannot be fetched: ${describeCause(cause)}`, hint);
  }
}

function describeCause(cause: unknown): string {
  if (cause instanceof Error && cause.name === "$ZodError") return "the document lacks issuer and jwks_uri, or keys";
  return cause instanceof Error && cause.cause === undefined ? cause.message : networkErrorCode(cause);
}
