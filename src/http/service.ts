import type { Caller, TurnstileRule } from "../core/caller.ts";
import type { GrantLimits } from "../core/grant.ts";
import type { SettingProblem } from "../core/problem.ts";
import type { Recognise } from "../core/recognition.ts";
import type { SessionNameFor } from "../core/session-name.ts";
import type { TokenService } from "../core/token-service.ts";

/** What stands behind the routes: a service that issues tokens, or the reasons why it cannot. */
export type Service = TokenIssuer | { readonly problems: readonly SettingProblem[] };

export type TokenIssuer = {
  readonly issueToken: TokenService;
  readonly recognise: Recognise;
  /** The most that a caller may be granted. */
  readonly limitsFor: (caller: Caller) => GrantLimits;
  /** Names the session that a request belongs to. */
  readonly sessionNameFor: SessionNameFor;
  /** Counts a request of somebody, and tells whether it is within the rate limit; `undefined`: there is none. */
  readonly countRequest: ((who: string) => Promise<boolean>) | undefined;
  /** Checks the Turnstile response of a visitor; throws a TokenError where it does not hold. */
  readonly checkVisitor: (
    rule: TurnstileRule,
    turnstileResponse: string | undefined,
    address: string | undefined,
  ) => Promise<void>;
  /** `open`: anybody gets a token. */
  readonly access: "open" | "closed";
  /** Where tokens are kept beyond this isolate's memory, if anywhere. */
  readonly cache: "kv" | "memory";
  /** Whether answers tell what took how long. */
  readonly serverTiming: boolean;
};
