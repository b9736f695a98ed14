import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import { isLoopbackHost } from "../lib/loopback-host.ts";
import { resourceNotFound } from "./api-response.ts";
import type { CozeApp } from "./apps.ts";
import { createAssertionCheck } from "./assertion.ts";
import { createChatRoutes } from "./chat-routes.ts";
import { brokenResponse } from "./connection.ts";
import { createControlRoutes } from "./control-routes.ts";
import { createConversationRoutes } from "./conversation-routes.ts";
import { refusalResponse } from "./coze-error.ts";
import { createExchangeLog } from "./exchange-log.ts";
import { createExchangeRoute } from "./exchange-route.ts";
import { createFaultQueue } from "./faults.ts";
import { createLiveTokens } from "./live-tokens.ts";
import { type EmulatorEnv, LOG_ID_HEADER, logId } from "./log-id.ts";
import { createUsersRoute } from "./users-route.ts";

/** What an emulator needs of its surroundings. */
export type EmulatorOptions = {
  /** The time in Unix milliseconds; `Date.now` when left out. */
  readonly now?: () => number;
  /** Whether a request comes from this machine, and may use the control API; when left out, all do. */
  readonly isLocal?: (c: Context) => boolean;
  /** Ends a request without a response. When left out, the client gets headers and a body that fails. */
  readonly dropConnection?: (c: Context) => Response | Promise<Response>;
};

/**
 * Creates a Hono app that behaves like the Coze token endpoint, as far as Coze and its official SDKs document it, with
 * as much of Coze's API as it takes to use a token. Everything it knows is in its own memory, so two emulators share
 * nothing. Runs wherever web standards do.
 */
export function createEmulator({
  now = Date.now,
  isLocal = () => true,
  dropConnection = brokenResponse,
}: EmulatorOptions = {}) {
  const apps = new Map<string, CozeApp>();
  const tokens = createLiveTokens(now);
  const faults = createFaultQueue();
  const exchanges = createExchangeLog();
  const checkAssertion = createAssertionCheck({ apps, now });
  // What a page calls with its token. A preflight may name any header: SDKs send their own.
  const forPages = cors({ origin: "*", allowMethods: ["GET", "POST"], exposeHeaders: [LOG_ID_HEADER] });

  return new Hono<EmulatorEnv>()
    .onError((error, c) => {
      console.error(error);
      const { status, body } = refusalResponse({ refused: "internal_error", message: "Service internal error." });
      return c.json(body, status);
    })
    .notFound(resourceNotFound)
    .use(logId(now))
    .use("/emulator/*", async function localOnly(c, next) {
      // For other machines, and for pages, the control API does not exist.
      return isLocal(c) && hasLoopbackUrl(c) && !isFromPage(c) ? next() : c.notFound();
    })
    .use("/v1/*", forPages)
    .use("/v3/*", forPages)
    .route(
      "/api/permission/oauth2",
      createExchangeRoute({ now, checkAssertion, tokens, faults, exchanges, dropConnection }),
    )
    .route("/v1/users", createUsersRoute({ tokens }))
    .route("/v1", createConversationRoutes({ now, tokens }))
    .route("/v3/chat", createChatRoutes({ now, tokens }))
    .route("/emulator", createControlRoutes({ apps, tokens, faults, exchanges }));
}

/** The URL has the host of the Host header. A foreign one was pointed at this machine by its page (DNS rebinding). */
function hasLoopbackUrl(c: Context): boolean {
  return isLoopbackHost(new URL(c.req.url).hostname);
}

/**
 * A page sends an Origin with everything that changes something, and Sec-Fetch-Site to the hosts that are loopback ones
 * (Fetch Metadata): `none` is the address bar, `same-origin` what a response of the emulator itself leads to.
 */
function isFromPage(c: Context): boolean {
  const site = c.req.header("Sec-Fetch-Site") ?? "none";
  return c.req.header("Origin") !== undefined || !["none", "same-origin"].includes(site);
}
