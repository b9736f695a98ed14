import { Hono } from "hono";
import { allowMethods } from "./allow-methods.ts";
import type { AppEnv } from "./app-env.ts";
import type { Service } from "./service.ts";

/** `GET /health`: whether the settings are right, who may ask, and where tokens are cached. It asks nothing of Coze. */
export function healthRoute(service: Service): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/", (c) => {
      if ("problems" in service) return c.json({ status: "misconfigured", problems: service.problems }, 503);
      return c.json({ status: "ok", access: "open", cache: service.cache });
    })
    .all("/", allowMethods("GET", "HEAD"));
}
