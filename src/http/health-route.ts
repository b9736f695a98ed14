import { Hono } from "hono";
import type { AppEnv } from "./app-env.ts";
import { methodNotAllowed, settingProblems } from "./error-response.ts";
import { jsonResponse } from "./response.ts";
import type { Service } from "./service.ts";

/** `GET /health`: whether settings are valid, access is open and tokens are cached in KV. Sends nothing to Coze. */
export function healthRoute(service: Service): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/", (c) => {
      if ("issues" in service) {
        return jsonResponse(c, { status: "misconfigured", problems: settingProblems(service.issues) }, 503);
      }
      return jsonResponse(c, { status: "ok", access: service.access, cache: service.cache });
    })
    .all("/", methodNotAllowed("GET", "HEAD"));
}
