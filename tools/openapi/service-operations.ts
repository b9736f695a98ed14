import type { ReadyService } from "../../src/http/service.ts";
import { errorResponses } from "./errors.ts";
import { headerRefs } from "./headers.ts";
import { type Operation, refTo, type Schema } from "./openapi.ts";
import { COMMON_HEADERS } from "./request-parts.ts";

const ACCESS = {
  open: "anybody can get a token",
  closed: "only callers with a credential can",
} satisfies Record<ReadyService["access"], string>;

const CACHE = {
  kv: "tokens are cached in Workers KV",
  memory: "tokens are cached in memory only",
} satisfies Record<ReadyService["cache"], string>;

/** What every response of `/health` has. */
const RELEASE: Readonly<Record<string, Schema>> = {
  version: { type: "string", description: "The version of the code." },
  deployment: {
    type: "string",
    description: "The id of the version at Cloudflare, as `wrangler deployments list` shows it.",
  },
};

/** The schemas of the state of the service. */
export const HEALTH_SCHEMAS: Readonly<Record<string, Schema>> = {
  Health: {
    type: "object",
    properties: { status: { const: "ok" }, access: choice(ACCESS), cache: choice(CACHE), ...RELEASE },
    required: ["status", "access", "cache", "version"],
    additionalProperties: false,
  },
  Misconfiguration: {
    type: "object",
    properties: {
      status: { const: "misconfigured" },
      problems: { type: "array", items: refTo("schemas", "SettingProblem"), minItems: 1 },
      ...RELEASE,
    },
    required: ["status", "problems", "version"],
    additionalProperties: false,
  },
};

/** `GET /health`. */
export const GET_HEALTH: Operation = {
  operationId: "getHealth",
  tags: ["service"],
  summary: "See whether the settings are right, and which code runs",
  description: "Sends nothing to Coze. Names settings, never their values.",
  security: [{}],
  parameters: COMMON_HEADERS,
  responses: {
    "200": {
      description: "The settings are right.",
      headers: headerRefs("X-Request-Id"),
      content: { "application/json": { schema: refTo("schemas", "Health") } },
    },
    "503": {
      description: "Settings need fixing. All of them are listed.",
      headers: headerRefs("X-Request-Id"),
      content: { "application/json": { schema: refTo("schemas", "Misconfiguration") } },
    },
    ...errorResponses("access_denied"),
  },
};

/** `GET /`. */
export const GET_CONSOLE: Operation = {
  operationId: "getConsole",
  tags: ["service"],
  summary: "Open the console in a browser",
  description: "A page that shows how to call this service and tries it, for requests that accept `text/html`.",
  security: [{}],
  parameters: COMMON_HEADERS,
  responses: {
    "200": {
      description: "The page.",
      headers: headerRefs("X-Request-Id"),
      content: { "text/html": { schema: { type: "string" } } },
    },
    ...errorResponses("access_denied", "not_found", "method_not_allowed", "server_error"),
  },
};

/** `OPTIONS /`, which stands for every path. */
export const PREFLIGHT: Operation = {
  operationId: "preflight",
  tags: ["service"],
  summary: "CORS preflight",
  description: "The same at every path, except the static files.",
  security: [{}],
  parameters: COMMON_HEADERS,
  responses: {
    "204": { description: "Pages of the origin may call the service.", headers: headerRefs("X-Request-Id") },
    ...errorResponses("access_denied"),
  },
};

function choice(meanings: Readonly<Record<string, string>>): Schema {
  const description = Object.entries(meanings).map(([value, meaning]) => `\`${value}\`: ${meaning}`);
  return { enum: Object.keys(meanings), description: `${description.join(", ")}.` };
}
