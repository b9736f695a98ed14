import type { Authenticate } from "../core/auth/authenticator.ts";
import type { Caller, CredentialRule } from "../core/auth/caller.ts";
import type { SessionNameFor } from "../core/auth/session-name.ts";
import type { VerifyTurnstile } from "../core/auth/turnstile.ts";
import type { GrantLimits } from "../core/grant/grant.ts";
import type { Issue } from "../core/issue.ts";
import type { CountWithin } from "../core/rate-limit.ts";
import type { TokenService } from "../core/token/token-service.ts";
import { TokenError } from "../core/token-error.ts";

/** What the routes use: a service that issues tokens, or the issues with its settings. */
export type Service = ReadyService | { readonly issues: readonly Issue[] };

export type ReadyService = {
  readonly getToken: TokenService;
  readonly authenticate: Authenticate;
  /** The most that a caller may be granted. */
  readonly limitsFor: (caller: Caller) => GrantLimits;
  /** Returns the Coze session name of a request. */
  readonly sessionNameFor: SessionNameFor;
  /** Counts requests; `undefined` if they are not limited. */
  readonly countRequest: CountWithin | undefined;
  /** Counts exchanges; `undefined` if they are not limited. */
  readonly countExchange: CountWithin | undefined;
  /** Returns the counter of all requests of a caller; `undefined` if they are not limited. */
  readonly callerCountFor: (caller: Caller) => CountWithin | undefined;
  readonly verifyTurnstile: VerifyTurnstile;
  /** How its callers authenticate. */
  readonly credentialKinds: ReadonlySet<CredentialRule["kind"]>;
  /** `open` if anybody can get a token. */
  readonly access: "open" | "closed";
  /** `kv` if tokens are cached in KV too, not only in the isolate's memory. */
  readonly cache: "kv" | "memory";
  /** Whether responses have a `Server-Timing` header. */
  readonly serverTiming: boolean;
};

/**
 * Returns the service if its settings are right.
 * @throws TokenError `server_misconfigured` with all issues, if they are not.
 */
export function requireReady(service: Service): ReadyService {
  if (!("issues" in service)) return service;
  const { issues } = service;
  const names = issues.map(({ path }) => path).join(", ");
  throw new TokenError("server_misconfigured", `The settings of this service need fixing: ${names}.`, { issues });
}
