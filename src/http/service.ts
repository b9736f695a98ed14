import type { GrantLimits } from "../core/grant.ts";
import type { SettingProblem } from "../core/problem.ts";
import type { TokenService } from "../core/token-service.ts";

/** What stands behind the routes: a service that issues tokens, or the reasons why it cannot. */
export type Service =
  | {
      readonly issueToken: TokenService;
      readonly limits: GrantLimits;
      /** Where tokens are kept beyond this isolate's memory, if anywhere. */
      readonly cache: "kv" | "memory";
      /** Whether answers tell what took how long. */
      readonly serverTiming: boolean;
    }
  | { readonly problems: readonly SettingProblem[] };
