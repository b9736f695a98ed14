import { Hono } from "hono";
import { requestId } from "hono/request-id";
import type { Log } from "./core/log.ts";
import type { AllowedOrigins } from "./core/origins.ts";
import { apiHeaders } from "./http/api-headers.ts";
import type { AppEnv } from "./http/app-env.ts";
import { cors } from "./http/cors.ts";
import { createErrorHandler, createNotFoundHandler } from "./http/error-answer.ts";
import { healthRoute } from "./http/health-route.ts";
import type { Service } from "./http/service.ts";
import { tokenRoute } from "./http/token-route.ts";

export type AppDependencies = {
  readonly service: Service;
  readonly allowedOrigins: AllowedOrigins;
  readonly log: Log;
};

/** Ids longer than this are replaced by one of our own. */
const MAX_REQUEST_ID_LENGTH = 128;

/** Creates the whole HTTP surface. */
export function createApp({ service, allowedOrigins, log }: AppDependencies) {
  return new Hono<AppEnv>()
    .onError(createErrorHandler(log))
    .notFound(createNotFoundHandler(log))
    .use(requestId({ limitLength: MAX_REQUEST_ID_LENGTH }), apiHeaders(), cors(allowedOrigins))
    .route("/", tokenRoute(service))
    .route("/health", healthRoute(service));
}
