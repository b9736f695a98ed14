import { JWT_TYPES } from "../../src/http/oauth-credential.ts";
import { ACCESS_TOKEN_TYPE, CLIENT_CREDENTIALS, JWT_BEARER, TOKEN_EXCHANGE } from "../../src/http/oauth-grants.ts";
import { SCOPE } from "../../src/http/oauth-token-request.ts";
import { MAX_BODY_BYTES } from "../../src/http/read-body.ts";
import { errorResponses } from "./errors.ts";
import { headerRefs } from "./headers.ts";
import { type Operation, refTo, type Schema } from "./openapi.ts";
import { COMMON_HEADERS, TOKEN_REQUEST_HEADERS, USER_ID } from "./request-parts.ts";
import { TOKEN_ERRORS } from "./token-operation.ts";
import { REQUEST_PROPERTIES } from "./token-schemas.ts";

const GRANT_TYPES = [CLIENT_CREDENTIALS, TOKEN_EXCHANGE, JWT_BEARER];

/** The schemas of the OAuth endpoint and its metadata. */
export const OAUTH_SCHEMAS: Readonly<Record<string, Schema>> = {
  OAuthTokenRequest: {
    type: "object",
    description: "An empty parameter counts as left out. A repeated one is refused, an unknown one is ignored.",
    properties: {
      grant_type: { enum: GRANT_TYPES },
      subject_token: { type: "string", description: "Token exchange (RFC 8693): the JWT of the user." },
      subject_token_type: { enum: JWT_TYPES, description: "Needed with `subject_token`; all mean a JWT." },
      requested_token_type: { const: ACCESS_TOKEN_TYPE },
      assertion: { type: "string", description: "JWT bearer grant (RFC 7523): the JWT of the user." },
      client_id: { type: "string", description: "With HTTP Basic, the same name. Otherwise it is ignored." },
      user_id: {
        ...USER_ID,
        description: "The same as the header `X-User-ID`. If both are there, they must be equal.",
      },
      ...REQUEST_PROPERTIES,
      scope: {
        type: "string",
        pattern: SCOPE.source,
        description: "Permissions with one space between them, for fewer rights than granted.",
        examples: ["Connector.botChat"],
      },
      rejected_token: { type: "string", description: "The token that Coze has rejected, as in the body of `POST /`." },
    },
    required: ["grant_type"],
  },
  OAuthToken: {
    type: "object",
    properties: {
      access_token: { type: "string", description: "The access token of Coze.", examples: ["czs_…"] },
      token_type: { const: "Bearer" },
      expires_in: {
        type: "integer",
        minimum: 0,
        description: "The number of seconds that the token has left; `POST /` has the Unix time instead.",
        examples: [812],
      },
      issued_token_type: { const: ACCESS_TOKEN_TYPE, description: "For a token exchange." },
      scope: {
        type: "string",
        description: "The permissions of the token, if they are limited and the request did not ask for a scope.",
      },
    },
    required: ["access_token", "token_type", "expires_in"],
    additionalProperties: false,
  },
  OAuthMetadata: {
    type: "object",
    description: "What this deployment supports (RFC 8414).",
    properties: {
      issuer: { type: "string", format: "uri", description: "The origin of the request." },
      token_endpoint: { type: "string", format: "uri" },
      grant_types_supported: { type: "array", items: { enum: GRANT_TYPES } },
      token_endpoint_auth_methods_supported: { type: "array", items: { enum: ["client_secret_basic", "none"] } },
      response_types_supported: { type: "array", maxItems: 0 },
    },
    required: [
      "issuer",
      "token_endpoint",
      "grant_types_supported",
      "token_endpoint_auth_methods_supported",
      "response_types_supported",
    ],
    additionalProperties: false,
  },
};

/** `POST /oauth2/token`. */
export const REQUEST_OAUTH_TOKEN: Operation = {
  operationId: "requestOAuthToken",
  tags: ["tokens"],
  summary: "Get a token in the standard format",
  description:
    "The token endpoint of RFC 6749, for OAuth client libraries. It issues what `POST /` issues. A JWT that is the grant is the only credential of its request.",
  security: [{}, { basic: [] }, { bearer: [] }],
  parameters: TOKEN_REQUEST_HEADERS,
  requestBody: {
    description: `At most ${MAX_BODY_BYTES} bytes, complete within 5 seconds.`,
    required: true,
    content: {
      "application/x-www-form-urlencoded": {
        schema: refTo("schemas", "OAuthTokenRequest"),
        examples: {
          key: {
            summary: "With an API key, for a user",
            value: { grant_type: CLIENT_CREDENTIALS, user_id: "user123" },
          },
          exchange: {
            summary: "With the JWT of a user, as a token exchange",
            value: { grant_type: TOKEN_EXCHANGE, subject_token: "JWT", subject_token_type: JWT_TYPES[2] },
          },
          assertion: {
            summary: "With the JWT of a user, as an assertion",
            value: { grant_type: JWT_BEARER, assertion: "JWT" },
          },
        },
      },
    },
  },
  responses: {
    "200": {
      description: "The token.",
      headers: headerRefs("X-Request-Id", "Cache-Status", "Server-Timing"),
      content: { "application/json": { schema: refTo("schemas", "OAuthToken") } },
    },
    ...errorResponses("unsupported_grant_type", "invalid_grant", ...TOKEN_ERRORS),
  },
};

/** `GET /.well-known/oauth-authorization-server`. */
export const GET_OAUTH_METADATA: Operation = {
  operationId: "getOAuthMetadata",
  tags: ["tokens"],
  summary: "Discover the OAuth endpoint",
  description: "The metadata of the authorization server (RFC 8414).",
  security: [{}],
  parameters: COMMON_HEADERS,
  responses: {
    "200": {
      description: "The metadata.",
      headers: headerRefs("X-Request-Id"),
      content: { "application/json": { schema: refTo("schemas", "OAuthMetadata") } },
    },
    ...errorResponses("invalid_request", "access_denied", "server_misconfigured"),
  },
};
