import type { GrantLimits } from "../core/grant.ts";
import type { SettingProblem } from "../core/problem.ts";
import type { TokenService } from "../core/token-service.ts";

/** What stands behind the routes: a service that issues tokens, or the reasons why it cannot. */
export type Service =
  | {
      readonly issueToken: TokenService;
      readonly limits: GrantLimits;
      /** Where tokens are cached. */
      readonly cache: "kv" | "none";
    }
  | { readonly problems: readonly SettingProblem[] };
