import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import * as z from "zod/mini";
import type { JwtRule } from "../../core/auth/caller.ts";
import { isProblem } from "../../core/issue.ts";
import { parseSecureUrl } from "../../core/secure-url.ts";
import { createSingleFlight, type SingleFlightPorts, type WaitUntil } from "../../core/single-flight.ts";
import { TokenError } from "../../core/token-error.ts";
import { FETCH_TIMEOUT_MS, type Fetch, fetchJson } from "../fetch-json.ts";

/** The keys of an issuer, ready to verify with. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;
export type IssuerKeys = { readonly keySet: KeySet; readonly fetchedAt: number };

/** Issuers change keys rarely; a changed one is noticed by its unknown id at once. */
const FRESH_MS = 10 * 60 * 1000;
/** While an issuer cannot be asked, its last keys serve on for a while. */
const USABLE_MS = 60 * 60 * 1000;
/** An unknown key id makes the keys be fetched again, but not so soon after a fetch has ended. */
const REFETCH_PAUSE_MS = 30 * 1000;
/** After a fetch that failed, the next one waits so long. */
const FAILURE_PAUSE_MS = 1000;

/** A fetch ends by itself within its time; one that has not ended a moment later has been lost. */
const FLIGHT_LIFETIME_MS = FETCH_TIMEOUT_MS + 500;

const discoveryDocument = z.object({ issuer: z.string(), jwks_uri: z.string() });
const keySetDocument = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

export type IssuerKeysPorts = SingleFlightPorts & { readonly fetch: Fetch };

/** Finds the keys of an issuer. `unknownKeyId` says that the keys at hand did not do. */
export type FindIssuerKeys = (
  rule: JwtRule,
  waitUntil: WaitUntil,
  /** When the response is due, in Unix milliseconds. */
  deadline: number,
  unknownKeyId?: boolean,
) => Promise<IssuerKeys>;

/**
 * Creates the memory of issuers' keys, found by discovery (OpenID Connect Discovery §4) or at `jwks_uri`. All requests
 * of the isolate share one fetch for an issuer; an issuer that is down does not touch the others.
 */
export function createIssuerKeys(ports: IssuerKeysPorts): FindIssuerKeys {
  const remembered = new Map<string, IssuerKeys>();
  const failedAt = new Map<string, number>();
  const flights = createSingleFlight<IssuerKeys>(FLIGHT_LIFETIME_MS, ports);

  return async function findIssuerKeys(rule, waitUntil, deadline, unknownKeyId = false) {
    const { issuer } = rule;
    const known = remembered.get(issuer);
    if (known === undefined) return fetchTogether(rule, waitUntil, deadline);

    const age = ports.now() - known.fetchedAt;
    const wasJustFetched = age < REFETCH_PAUSE_MS || hasFailedWithin(issuer, REFETCH_PAUSE_MS);
    if (unknownKeyId) {
      return wasJustFetched && !flights.isUnderWay(issuer) ? known : fetchTogether(rule, waitUntil, deadline);
    }

    const isUsable = age < USABLE_MS;
    if (age < FRESH_MS || (isUsable && (wasJustFetched || flights.isUnderWay(issuer)))) return known;
    return fetchTogether(rule, waitUntil, deadline).catch((error: unknown) => {
      if (isUsable) return known;
      throw error;
    });
  };

  async function fetchTogether(rule: JwtRule, waitUntil: WaitUntil, deadline: number): Promise<IssuerKeys> {
    const { issuer } = rule;
    // Nothing is awaited between this check and the start below: of concurrent requests, only one starts a fetch.
    while (flights.isUnderWay(issuer)) {
      const shared = await flights.join(issuer, deadline);
      if (shared !== undefined) return shared;
      if (ports.now() >= deadline) throw unavailable(issuer, undefined);
    }
    if (hasFailedWithin(issuer, FAILURE_PAUSE_MS)) throw unavailable(issuer, undefined);

    void flights.start(issuer, () => fetchKeys(rule), waitUntil);
    const fetched = await flights.join(issuer, deadline);
    if (fetched === undefined) throw unavailable(issuer, undefined);
    return fetched;
  }

  async function fetchKeys(rule: JwtRule): Promise<IssuerKeys> {
    try {
      const keys = { keySet: await fetchKeySet(ports.fetch, rule), fetchedAt: ports.now() };
      remembered.set(rule.issuer, keys);
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
  // One for both documents: a slow issuer does not get the time twice.
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
  const keysUrl = jwksUri ?? (await discoverKeys(fetch, issuer, signal));
  const document = keySetDocument.parse(await fetchJson(fetch, keysUrl, { signal }));
  // The import of a key checks the rest of it (RFC 7517).
  return createLocalJWKSet(document as JSONWebKeySet);
}

async function discoverKeys(fetch: Fetch, issuer: string, signal: AbortSignal): Promise<string> {
  const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const found = discoveryDocument.parse(await fetchJson(fetch, address, { signal }));
  if (found.issuer !== issuer) throw new Error(`${address} speaks of another issuer`);

  const keys = parseSecureUrl(found.jwks_uri, "https://…");
  if (isProblem(keys)) throw new Error(`the jwks_uri of ${address} ${keys.problem}`);
  return found.jwks_uri;
}

function unavailable(issuer: string, cause: unknown): TokenError {
  return new TokenError("issuer_unavailable", `The keys of ${issuer} could not be fetched. Try again.`, { cause });
}
