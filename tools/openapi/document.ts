import { ERROR_RESPONSES, ERROR_SCHEMAS } from "./errors.ts";
import { FILE_PATHS } from "./file-operations.ts";
import { HEADERS } from "./headers.ts";
import { GET_OAUTH_METADATA, OAUTH_SCHEMAS, REQUEST_OAUTH_TOKEN } from "./oauth-operations.ts";
import { type Components, type OpenApiDocument, refTo } from "./openapi.ts";
import { GET_CONSOLE, GET_HEALTH, HEALTH_SCHEMAS, PREFLIGHT } from "./service-operations.ts";
import { REQUEST_TOKEN } from "./token-operation.ts";
import { TOKEN_SCHEMAS } from "./token-schemas.ts";

const DESCRIPTION = `Hands out short-lived Coze access tokens, so that the private key of the Coze OAuth app never leaves the server side.

Any other path responds with \`not_found\`, and any other method with \`method_not_allowed\`. HEAD works like GET. While \`ALLOWED_ORIGINS\` lists origins, pages of other origins get \`access_denied\` everywhere.

Responses also have headers for browsers and caches, which are not listed here: CORS headers, also on errors, so that pages can read them, security headers, and \`Cache-Control\`, which is \`no-store\` except for static files.`;

/** Creates the OpenAPI document that describes the whole HTTP contract of this version of the service. */
export function createDocument(version: string): OpenApiDocument {
  const paths = {
    "/": { post: REQUEST_TOKEN, get: GET_CONSOLE, options: PREFLIGHT },
    "/oauth2/token": { post: REQUEST_OAUTH_TOKEN },
    "/.well-known/oauth-authorization-server": { get: GET_OAUTH_METADATA },
    "/health": { get: GET_HEALTH },
    ...FILE_PATHS,
  };
  return {
    openapi: "3.1.1",
    info: {
      title: "coze-token-worker",
      version,
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: [
      { name: "tokens", description: "Getting tokens." },
      { name: "service", description: "The service itself." },
      { name: "files", description: "Static files." },
    ],
    paths,
    components: {
      schemas: { ...TOKEN_SCHEMAS, ...OAUTH_SCHEMAS, ...HEALTH_SCHEMAS, ...ERROR_SCHEMAS },
      headers: HEADERS,
      responses: usedIn(paths, ERROR_RESPONSES),
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "An API key, or the JWT of a logged-in user. The bare value, without `Bearer`, works too.",
        },
        basic: {
          type: "http",
          scheme: "basic",
          description: "The name of a caller and its API key, both form-encoded (RFC 6749 section 2.3.1).",
        },
      },
    },
  };
}

function usedIn(paths: OpenApiDocument["paths"], responses: Components["responses"]): Components["responses"] {
  const text = JSON.stringify(paths);
  return Object.fromEntries(
    Object.entries(responses).filter(([name]) => text.includes(`"${refTo("responses", name).$ref}"`)),
  );
}
