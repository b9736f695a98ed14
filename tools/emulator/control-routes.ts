import { Hono } from "hono";
import * as z from "zod";
import type { CozeApps } from "./apps.ts";
import { createControlAppRoutes } from "./control-app-routes.ts";
import { badRequest, notFound, parseBody, parseFilter } from "./control-request.ts";
import type { ExchangeLog } from "./exchange-log.ts";
import { type FaultQueue, faultSchema } from "./faults.ts";
import type { LiveTokens } from "./live-tokens.ts";
import type { EmulatorEnv } from "./log-id.ts";

const text = z.string().min(1).optional();

const selectorSchema = z
  .strictObject({ access_token: text, client_id: text, session_name: text })
  .refine((selector) => Object.keys(selector).length > 0, "selects nothing: access_token, client_id or session_name");

/** What the control API may look at and change. */
export type ControlParts = {
  readonly apps: CozeApps;
  readonly tokens: Pick<LiveTokens, "end">;
  readonly faults: Omit<FaultQueue, "take">;
  readonly exchanges: Omit<ExchangeLog, "open">;
};

/** The control API: what a test arranges before an exchange, and what it looks at afterwards. */
export function createControlRoutes({ apps, tokens, faults, exchanges }: ControlParts) {
  return new Hono<EmulatorEnv>()
    .get("/health", (c) => c.json({ status: "ok" }))
    .route("/apps", createControlAppRoutes({ apps }))
    .route("/faults", createFaultRoutes(faults))
    .route("/exchanges", createExchangeLogRoutes(exchanges))
    .route("/tokens", createTokenRoutes(tokens))
    .all("/*", (c) => notFound(c, `no such control request: ${c.req.method} ${c.req.path}`));
}

function createFaultRoutes(faults: ControlParts["faults"]) {
  return new Hono<EmulatorEnv>()
    .post("/", async (c) => {
      const body = await parseBody(c, faultSchema);
      if ("problem" in body) return badRequest(c, body.problem);
      return c.json(faults.arm(body.value), 201);
    })
    .get("/", async (c) => {
      const filter = await parseFilter(c);
      if ("problem" in filter) return badRequest(c, filter.problem);
      return c.json({ faults: faults.list(filter.value.client_id) });
    })
    .delete("/", async (c) => {
      const filter = await parseFilter(c);
      if ("problem" in filter) return badRequest(c, filter.problem);
      return c.json({ count: faults.clear(filter.value.client_id) });
    });
}

function createExchangeLogRoutes(exchanges: ControlParts["exchanges"]) {
  return new Hono<EmulatorEnv>()
    .get("/", async (c) => {
      const filter = await parseFilter(c);
      if ("problem" in filter) return badRequest(c, filter.problem);
      return c.json({ exchanges: exchanges.list(filter.value.client_id) });
    })
    .delete("/", async (c) => {
      const filter = await parseFilter(c);
      if ("problem" in filter) return badRequest(c, filter.problem);
      return c.json({ count: exchanges.clear(filter.value.client_id) });
    });
}

/**
 * Both requests do the same, because Coze responds alike to an expired token and to a revoked one; two names let a test
 * say what it means.
 */
function createTokenRoutes(tokens: ControlParts["tokens"]) {
  return new Hono<EmulatorEnv>().post("/:ending{expire|revoke}", async (c) => {
    const body = await parseBody(c, selectorSchema);
    if ("problem" in body) return badRequest(c, body.problem);
    return c.json({ count: await tokens.end(body.value) });
  });
}
