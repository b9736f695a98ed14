import { createLocalJWKSet } from "jose";
import type { JwtRule } from "../../core/auth/caller.ts";
import { parseSecureUrl } from "../../core/secure-url.ts";
import { createSingleFlight, type SingleFlightPorts, type WaitUntil } from "../../core/single-flight.ts";
import { TokenError } from "../../core/token-error.ts";
import { FETCH_TIMEOUT_MS, type Fetch, fetchJson } from "../fetch-json.ts";

/** The public keys of an issuer, which verify its JWTs. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;
export type IssuerKeys = { readonly keySet: KeySet; readonly fetchedAt: number };

/** Issuers change keys rarely, and an unknown key id reveals a change at once. */
const FRESH_MS = 10 * 60 * 1000;
/** While an issuer is down, its cached keys are used for up to an hour. */
const USABLE_MS = 60 * 60 * 1000;
/** An unknown key id causes another fetch, but only this long after the last one. */
const REFETCH_PAUSE_MS = 30 * 1000;
/** The minimum time between a failed fetch and the next one. */
const FAILURE_PAUSE_MS = 1000;

/** A fetch times out by itself. If it has not settled 500 ms later, it is lost. */
const FLIGHT_LIFETIME_MS = FETCH_TIMEOUT_MS + 500;

export type IssuerKeysPorts = SingleFlightPorts & { readonly fetch: Fetch };

/** Finds the keys of an issuer. `unknownKeyId` means that the cached keys do not include the one needed. */
export type FindIssuerKeys = (
  rule: JwtRule,
  waitUntil: WaitUntil,
  /** When the response is due, in Unix milliseconds. */
  deadline: number,
  unknownKeyId?: boolean,
) => Promise<IssuerKeys>;

/**
 * Creates the cache of issuers' keys, which come from `jwks_uri` or else from discovery (OpenID Connect Discovery §4).
 * All requests of the isolate share one fetch for each issuer. An issuer that is down does not affect the others.
 * @throws TokenError `issuer_unavailable` when the keys cannot be fetched and none are cached.
 */
export function createIssuerKeys(ports: IssuerKeysPorts): FindIssuerKeys {
  const cache = new Map<string, IssuerKeys>();
  const failedAt = new Map<string, number>();
  const singleFlight = createSingleFlight<IssuerKeys>(FLIGHT_LIFETIME_MS, ports);

  return async function findIssuerKeys(rule, waitUntil, deadline, unknownKeyId = false) {
    const { issuer } = rule;
    const cached = cache.get(issuer);
    if (cached === undefined) return joinOrStartFetch(rule, waitUntil, deadline);

    const age = ports.now() - cached.fetchedAt;
    const wasJustFetched = age < REFETCH_PAUSE_MS || hasFailedWithin(issuer, REFETCH_PAUSE_MS);
    if (unknownKeyId) {
      return wasJustFetched && !singleFlight.isUnderWay(issuer) ? cached : joinOrStartFetch(rule, waitUntil, deadline);
    }

    const isUsable = age < USABLE_MS;
    if (age < FRESH_MS || (isUsable && (wasJustFetched || singleFlight.isUnderWay(issuer)))) return cached;
    return joinOrStartFetch(rule, waitUntil, deadline).catch((error: unknown) => {
      if (isUsable) return cached;
      throw error;
    });
  };

  async function joinOrStartFetch(rule: JwtRule, waitUntil: WaitUntil, deadline: number): Promise<IssuerKeys> {
    const { issuer } = rule;
    // Nothing is awaited between this check and the start below, so only one of the concurrent requests fetches.
    while (singleFlight.isUnderWay(issuer)) {
      const shared = await singleFlight.join(issuer, deadline);
      if (shared !== undefined) return shared;
      if (ports.now() >= deadline) throw unavailable(issuer, undefined);
    }
    if (hasFailedWithin(issuer, FAILURE_PAUSE_MS)) throw unavailable(issuer, undefined);

    void singleFlight.start(issuer, () => fetchKeys(rule), waitUntil);
    const fetched = await singleFlight.join(issuer, deadline);
    if (fetched === undefined) throw unavailable(issuer, undefined);
    return fetched;
  }

  async function fetchKeys(rule: JwtRule): Promise<IssuerKeys> {
    try {
      const keys = { keySet: await fetchKeySet(ports.fetch, rule), fetchedAt: ports.now() };
      cache.set(rule.issuer, keys);
      return keys;
    } catch (cause) {
      failedAt.set(rule.issuer, ports.now());
      throw unavailable(rule.issuer, cause);
    }
  }

  function hasFailedWithin(issuer: string, milliseconds: number): boolean {
    return ports.now() - (failedAt.get(issuer) ?? Number.NEGATIVE_INFINITY) < milliseconds;
  }
}

async function fetchKeySet(fetch: Fetch, { issuer, jwksUri }: JwtRule): Promise<KeySet> {
  // Both documents share one timeout, so that a slow issuer does not get twice the time.
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
  const keysUrl = jwksUri ?? (await discoverKeys(fetch, issuer, signal));
  const document = await fetchJson(fetch, keysUrl, { signal });
  const { parseKeySetDocument } = await import("./issuer-documents.ts");
  return createLocalJWKSet(parseKeySetDocument(document));
}

async function discoverKeys(fetch: Fetch, issuer: string, signal: AbortSignal): Promise<string> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const document = await fetchJson(fetch, url, { signal });
  const { parseDiscoveryDocument } = await import("./issuer-documents.ts");
  const discovered = parseDiscoveryDocument(document);
  if (discovered.issuer !== issuer) throw new Error(`${url} names another issuer`);

  const keys = parseSecureUrl(discovered.jwks_uri, "https://…");
  if ("issues" in keys) throw new Error(`the jwks_uri of ${url} ${keys.issues[0]?.message}`);
  return discovered.jwks_uri;
}

function unavailable(issuer: string, cause: unknown): TokenError {
  return new TokenError("issuer_unavailable", `The keys of ${issuer} could not be fetched. Try again.`, { cause });
}
