import { Hono } from "hono";
import type { AllowedOrigins } from "./core/auth/origins.ts";
import type { Log } from "./core/log.ts";
import type { Audit } from "./core/token/audit.ts";
import type { AppEnv } from "./http/app-env.ts";
import { auditTokens } from "./http/audit-tokens.ts";
import { consoleRoute, type GetConsolePage } from "./http/console-route.ts";
import { cors } from "./http/cors.ts";
import { createErrorHandler, respondNotFound } from "./http/error-response.ts";
import { healthRoute, type Release } from "./http/health-route.ts";
import { oauthMetadataRoute } from "./http/oauth-metadata-route.ts";
import { oauthTokenRoute } from "./http/oauth-token-route.ts";
import { requestId } from "./http/request-id.ts";
import type { Service } from "./http/service.ts";
import { tokenRoute } from "./http/token-route.ts";

export type AppDependencies = {
  readonly service: Service;
  readonly allowedOrigins: AllowedOrigins;
  readonly log: Log;
  readonly audit: Audit;
  readonly release: Release;
  readonly getConsolePage: GetConsolePage;
  /** Unix milliseconds. */
  readonly now: () => number;
};

/** Creates the HTTP app: all routes, middleware and error handlers. */
export function createApp({ service, allowedOrigins, log, audit, release, getConsolePage, now }: AppDependencies) {
  return (
    new Hono<AppEnv>()
      .onError(createErrorHandler(log))
      .notFound(respondNotFound)
      .use(requestId())
      // Comes before everything that can refuse a request, so that refusals are logged too.
      .post("/", auditTokens(audit, now))
      .post("/oauth2/token", auditTokens(audit, now))
      .use(cors(allowedOrigins))
      .route("/", consoleRoute(getConsolePage))
      .route("/", tokenRoute(service, now))
      .route("/oauth2/token", oauthTokenRoute(service, now))
      .route("/.well-known/oauth-authorization-server", oauthMetadataRoute(service))
      .route("/health", healthRoute(service, release))
  );
}
