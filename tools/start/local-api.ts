import { Hono } from "hono";
import { createIssuerKeys } from "../../src/adapters/auth/issuer-keys.ts";
import { claimedIssuer, createJwtVerifier } from "../../src/adapters/auth/jwt-verifier.ts";
import { createKeyMatcher, digestCredential } from "../../src/adapters/auth/key-matcher.ts";
import { consoleLog } from "../../src/adapters/logging/console-log.ts";
import { parseSettings, type WorkerEnv } from "../../src/config/settings.ts";
import type { LocalOverview, LocalRequest } from "../../src/console/local-types.ts";
import type { WaitUntil } from "../../src/core/single-flight.ts";
import { TokenError } from "../../src/core/token-error.ts";
import type { AppEnv } from "../../src/http/app-env.ts";
import { createErrorHandler, respondNotFound } from "../../src/http/error-response.ts";
import { readBody } from "../../src/http/read-body.ts";
import { requestId } from "../../src/http/request-id.ts";
import { jsonResponse } from "../../src/http/response.ts";
import { decodeUtf8 } from "../../src/http/utf8.ts";
import { createCredentialExplainer } from "./credential-explainer.ts";
import { emulatorFaultsFor, isLocalFault } from "./emulator-faults.ts";
import { consoleRefusalFor } from "./local-access.ts";
import { overviewFor } from "./local-overview.ts";

/** As long as the Worker itself has for a response. */
const RESPONSE_LIMIT_MS = 12_000;

const now = () => Date.now();

/** Built from the Worker's own parts, so it explains what the Worker does. The keys of issuers are cached apart. */
const explainCredential = createCredentialExplainer({
  digestOf: digestCredential,
  createKeyMatcher,
  claimedIssuer,
  verifyJwt: createJwtVerifier(
    createIssuerKeys({
      fetch: (url, init) => fetch(url, init),
      now,
      sleep: (milliseconds, signal) => scheduler.wait(milliseconds, { signal }).catch(() => undefined),
    }),
    now,
  ),
});

/** What the paths below `/local/` know of the Worker that runs. */
export type LocalContext = {
  readonly env: WorkerEnv;
  readonly waitUntil: WaitUntil;
  /** The latest first. */
  readonly requests: readonly LocalRequest[];
};

/**
 * Creates what `npm start` serves to its console alone, below `/local/`. It is no part of the Worker, and never deployed.
 * @throws TokenError, inside, as the Worker does: each error is a response.
 */
export function createLocalApi({ env, waitUntil, requests }: LocalContext): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .onError(createErrorHandler(consoleLog))
    .notFound(respondNotFound)
    .use(requestId())
    .use(async function consoleOnly(c, next) {
      const refusal = consoleRefusalFor(c.req.raw);
      if (refusal !== undefined) throw new TokenError("access_denied", refusal);
      await next();
    })
    .post("/local/overview", async (c) => {
      const [overview, faults] = await Promise.all([overviewFor(env), findFaults(env)]);
      return jsonResponse(c, { ...overview, requests, armedFaults: await faults?.count() } satisfies LocalOverview);
    })
    .post("/local/explain", async (c) => {
      const { credential, userId } = await readProperties(c.req.raw);
      if (typeof credential !== "string") throw new TokenError("invalid_request", "credential must be a string.");
      const { settings } = await parseSettings({ ...env });
      if (settings.CALLERS === undefined) throw new TokenError("server_misconfigured", "CALLERS has issues.");
      const bare = credential.trim().replace(/^Bearer\s+/i, "");
      const user = typeof userId === "string" && userId !== "" ? userId : null;
      const deadline = now() + RESPONSE_LIMIT_MS;
      return jsonResponse(c, await explainCredential(bare, user, settings.CALLERS, waitUntil, deadline));
    })
    .post("/local/faults", async (c) => {
      const { fault } = await readProperties(c.req.raw);
      if (!isLocalFault(fault)) throw new TokenError("invalid_request", "There is no such fault.");
      const faults = await findFaults(env);
      if (faults === undefined) throw new TokenError("not_found", "Tokens do not come from an emulator.");
      await faults.arm(fault);
      return jsonResponse(c, { armed: fault }, 201);
    })
    .delete("/local/faults", async (c) => {
      await (await findFaults(env))?.disarm();
      return jsonResponse(c, {});
    });
}

/**
 * Reads the properties of a JSON body; a value that is no object has none of them.
 * @throws TokenError as {@link readBody}, or `invalid_request` for invalid JSON.
 */
async function readProperties(request: Request): Promise<Readonly<Record<"credential" | "userId" | "fault", unknown>>> {
  const bytes = await readBody(request, RESPONSE_LIMIT_MS);
  try {
    return Object(JSON.parse(decodeUtf8(bytes ?? new Uint8Array())));
  } catch {
    // The parser's message quotes the body, which may be a credential, so it must not become the cause, which is logged.
    throw new TokenError("invalid_request", "The body is not valid JSON.");
  }
}

async function findFaults(env: WorkerEnv) {
  const { settings } = await parseSettings({ ...env });
  const { TOKEN_ENDPOINT, CLIENT_ID } = settings;
  return TOKEN_ENDPOINT && CLIENT_ID ? emulatorFaultsFor(TOKEN_ENDPOINT, CLIENT_ID) : undefined;
}
