import type { Authenticate } from "../core/auth/authenticator.ts";
import type { Caller } from "../core/auth/caller.ts";
import type { SessionNameFor } from "../core/auth/session-name.ts";
import type { VerifyTurnstile } from "../core/auth/turnstile.ts";
import type { GrantLimits } from "../core/grant/grant.ts";
import type { SettingProblem } from "../core/issue.ts";
import type { CountWithin } from "../core/rate-limit.ts";
import type { TokenService } from "../core/token/token-service.ts";

/** What stands behind the routes: a service that issues tokens, or the reasons why it cannot. */
export type Service = ReadyService | { readonly problems: readonly SettingProblem[] };

export type ReadyService = {
  readonly getToken: TokenService;
  readonly authenticate: Authenticate;
  /** The most that a caller may be granted. */
  readonly limitsFor: (caller: Caller) => GrantLimits;
  /** Names the session that a request belongs to. */
  readonly sessionNameFor: SessionNameFor;
  /** Counts requests; `undefined`: they are not limited. */
  readonly countRequest: CountWithin | undefined;
  /** Counts exchanges; `undefined`: they are not limited. */
  readonly countExchange: CountWithin | undefined;
  /** Counts the requests of a caller as a whole; `undefined`: they are not limited. */
  readonly callerCountFor: (caller: Caller) => CountWithin | undefined;
  readonly verifyTurnstile: VerifyTurnstile;
  /** `open`: anybody gets a token. */
  readonly access: "open" | "closed";
  /** Where tokens are kept beyond this isolate's memory, if anywhere. */
  readonly cache: "kv" | "memory";
  /** Whether answers tell what took how long. */
  readonly serverTiming: boolean;
};
