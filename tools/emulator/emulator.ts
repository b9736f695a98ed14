import { type Context, Hono } from "hono";
import type { App } from "./apps.ts";
import { createAssertionCheck } from "./assertion-check.ts";
import { brokenAnswer } from "./connection.ts";
import { createControlRoutes } from "./control-routes.ts";
import { refusalAnswer } from "./coze-error.ts";
import { createExchangeLog } from "./exchange-log.ts";
import { createExchangeRoute } from "./exchange-route.ts";
import { createFaultQueue } from "./faults.ts";
import { type EmulatorEnv, logId } from "./log-id.ts";
import { isLoopbackHost } from "./loopback.ts";
import { createTokenStore } from "./tokens.ts";
import { createUsersRoute } from "./users-route.ts";

/** What an emulator asks of its surroundings. */
export type EmulatorOptions = {
  /** The time in Unix milliseconds; `Date.now` when left out. */
  readonly now?: () => number;
  /** Whether a request may use the control API. When left out, the host name of its URL must be a loopback one. */
  readonly isLocal?: (c: Context) => boolean;
  /** Ends a request without an answer. When left out, the client gets headers and a body that fails. */
  readonly dropConnection?: (c: Context) => Response | Promise<Response>;
};

/**
 * Makes a Hono app that behaves like the Coze token endpoint, as far as Coze and its official SDKs document it. Everything it
 * knows is in its own memory, so two emulators share nothing. Runs wherever web standards do.
 */
export function createEmulator({
  now = Date.now,
  isLocal = hasLoopbackUrl,
  dropConnection = brokenAnswer,
}: EmulatorOptions = {}) {
  const apps = new Map<string, App>();
  const tokens = createTokenStore(now);
  const faults = createFaultQueue();
  const exchanges = createExchangeLog();
  const checkAssertion = createAssertionCheck({ apps, now });

  return new Hono<EmulatorEnv>()
    .onError((error, c) => {
      console.error(error);
      const { status, body } = refusalAnswer({ refused: "internal_error", message: "Service internal error." });
      return c.json(body, status);
    })
    .notFound((c) => c.json({ code: 4200, msg: "resource not found", detail: { logid: c.get("logId") } }, 404))
    .use(logId(now))
    .use("/emulator/*", async function localOnly(c, next) {
      // Who is not local cannot even tell that there is a control API.
      return isLocal(c) ? next() : c.notFound();
    })
    .route(
      "/api/permission/oauth2",
      createExchangeRoute({ now, checkAssertion, tokens, faults, exchanges, dropConnection }),
    )
    .route("/v1/users", createUsersRoute({ tokens }))
    .route("/emulator", createControlRoutes({ apps, tokens, faults, exchanges }));
}

function hasLoopbackUrl(c: Context): boolean {
  return isLoopbackHost(new URL(c.req.url).hostname);
}
