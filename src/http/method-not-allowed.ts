import type { Handler } from "hono";
import { TokenError } from "../core/token-error.ts";
import type { AppEnv } from "./app-env.ts";

/**
 * Handles the methods that a path does not answer; OPTIONS never gets here, it is answered before.
 * @throws TokenError `method_not_allowed`, always.
 */
export function methodNotAllowed(...methods: readonly string[]): Handler<AppEnv> {
  const allow = [...methods, "OPTIONS"].join(", ");
  return function methodNotAllowed(c) {
    throw new TokenError("method_not_allowed", `This path does not answer ${c.req.method}. It answers ${allow}.`, {
      allow,
    });
  };
}
