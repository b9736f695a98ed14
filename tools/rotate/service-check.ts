import { randomInt, randomUUID } from "node:crypto";
import { checkUntilRight } from "../deploy/check-until-right.ts";
import { rollbackCommand } from "../lib/commands.ts";
import { Failure } from "../lib/failure.ts";
import { isJwt } from "../lib/is-jwt.ts";
import { printable } from "../lib/printable.ts";
import { readProject } from "../lib/project.ts";
import { describeServiceRefusal, parseServiceRefusal } from "../lib/service-refusal.ts";
import type { Context, RotateOptions, RotatePorts } from "./context.ts";
import type { Pair } from "./key-pairs.ts";
import { readConfig } from "./read-config.ts";
import type { RotationState } from "./rotation-state.ts";

/** Longer than the service takes at most. */
const TIMEOUT_MS = 15_000;

/** What the check for a new token uses of {@link Context}. */
type NewTokenContext = Pick<Context, "root" | "env"> & {
  readonly options: Pick<RotateOptions, "tokenCheck">;
  readonly ports: Pick<RotatePorts, "say" | "credential">;
};

/**
 * Checks the service from outside until all checks pass, then requests a new token.
 * @throws Failure when they keep failing, or the URL is not known.
 */
export async function checkService(state: Pick<RotationState, "url">, pair: Pair, context: Context): Promise<void> {
  const { root, env, ports } = context;
  const address = requireAddress(state, context);
  if (!(await checkUntilRight(address, { root, env, credential: ports.credential }, ports))) {
    throw new Failure("The service is not right, so the rotation is not finished. Run npm run rotate again.");
  }
  await checkNewToken(address, pair, context);
}

/** Where the service responds, if that is known: as an option says, as the last deployment did, or as wrangler.toml does. */
export function addressOf({ url }: Pick<RotationState, "url">, { root, env, options }: Context): URL | undefined {
  const { domain } = readProject(root, env);
  const known = options.url ?? url ?? (domain && `https://${domain}`);
  return known === undefined ? undefined : new URL(known);
}

/** @throws Failure that names the option, where the address is not known. */
export function requireAddress(state: Pick<RotationState, "url">, context: Context): URL {
  const address = addressOf(state, context);
  if (address === undefined) throw new Failure("--url is missing: where does the service respond?");
  return address;
}

/**
 * Checks that the service issues a token that no cache can have: one that was issued before says nothing about the pair
 * that is deployed now.
 * @throws Failure when it does not.
 */
export async function checkNewToken(
  url: URL,
  pair: Pair,
  { root, env, options, ports }: NewTokenContext,
): Promise<void> {
  if (!options.tokenCheck) {
    ports.say("--no-token-check: no new token is requested of the service, so it may not work with this key.");
    return;
  }
  const { tokenDurationSeconds, callers } = await readConfig(readProject(root, env), pair);
  const maxSeconds = Math.min(
    tokenDurationSeconds,
    ...callers.map(({ maxDurationSeconds = tokenDurationSeconds }) => maxDurationSeconds),
  );
  const issue = await requestNewToken(url, ports.credential, maxSeconds);
  if (issue === undefined) {
    ports.say(`${url.host} has issued a new token.`);
    return;
  }
  throw new Failure(
    `${url.host} has issued no new token: ${printable(issue)}\n` +
      `Run npm run rotate again. If that does not help, restore the previous version: ${rollbackCommand(env)}`,
  );
}

/** A JWT names its user, so the life of the token is what differs from all that are cached. Returns what is wrong. */
async function requestNewToken(
  url: URL,
  credential: string | undefined,
  maxSeconds: number,
): Promise<string | undefined> {
  const namesUser = credential !== undefined && isJwt(credential);
  const response = await fetch(new URL("/", url), {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(credential !== undefined && { Authorization: `Bearer ${credential}` }),
      ...(!namesUser && { "X-User-ID": `coze-token-worker-rotate-${randomUUID()}` }),
    },
    body: JSON.stringify({ duration_seconds: randomInt(Math.ceil(maxSeconds / 2), maxSeconds + 1) }),
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => undefined);
  if (response === undefined) return "it does not respond.";

  const { status, headers } = response;
  const cacheStatus = headers.get("Cache-Status") ?? "";
  const body: unknown = await response.json().catch(() => undefined);
  if (status === 200) return /;\s*hit\b/.test(cacheStatus) ? `it has sent a cached one (${cacheStatus}).` : undefined;
  const refusal = parseServiceRefusal(body);
  if (refusal === undefined) return `it responds with ${status}, and not as this service does.`;
  return describeServiceRefusal(status, refusal);
}
