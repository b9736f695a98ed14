import { Hono } from "hono";
import type { AppEnv } from "./app-env.ts";
import { methodNotAllowed, settingProblems } from "./error-response.ts";
import { jsonResponse } from "./response.ts";
import type { Service } from "./service.ts";

/** Which code runs; `deployment` is the id of Cloudflare's upload, where that is known. */
export type Release = { readonly version: string; readonly deployment: string | undefined };

/**
 * `GET /health`: whether settings are valid, access is open and tokens are cached in KV, and which code runs. Sends
 * nothing to Coze.
 */
export function healthRoute(service: Service, release: Release): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/", (c) => {
      if ("issues" in service) {
        return jsonResponse(c, { status: "misconfigured", problems: settingProblems(service.issues), ...release }, 503);
      }
      return jsonResponse(c, { status: "ok", access: service.access, cache: service.cache, ...release });
    })
    .all("/", methodNotAllowed("GET", "HEAD"));
}
