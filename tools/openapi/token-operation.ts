import { MAX_BODY_BYTES } from "../../src/http/read-body.ts";
import { errorResponses } from "./errors.ts";
import { headerRefs } from "./headers.ts";
import { type Operation, refTo } from "./openapi.ts";
import { TOKEN_REQUEST_HEADERS } from "./request-parts.ts";

/** The errors of every request for a token. */
export const TOKEN_ERRORS = [
  "invalid_request",
  "invalid_scope",
  "invalid_client",
  "access_denied",
  "payload_too_large",
  "unsupported_media_type",
  "rate_limited",
  "server_misconfigured",
  "server_error",
  "upstream_rejected",
  "upstream_invalid_response",
  "upstream_unavailable",
  "issuer_unavailable",
  "upstream_timeout",
] as const;

/** `POST /`. */
export const REQUEST_TOKEN: Operation = {
  operationId: "requestToken",
  tags: ["tokens"],
  summary: "Get a token in Coze's format",
  description:
    "A request needs no body. A credential is needed unless the service is open. The user id never goes into the query: `user`, `user_id`, `userId` and `uid` there are refused.",
  security: [{}, { bearer: [] }],
  parameters: TOKEN_REQUEST_HEADERS,
  requestBody: {
    description: `At most ${MAX_BODY_BYTES} bytes, complete within 5 seconds. An unknown property is refused.`,
    content: {
      "application/json": {
        schema: refTo("schemas", "TokenRequest"),
        examples: {
          shorter: { summary: "A shorter life", value: { duration_seconds: 300 } },
          narrower: {
            summary: "For one bot",
            value: {
              scope: {
                account_permission: { permission_list: ["Connector.botChat"] },
                attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["7379462189365198898"] } },
              },
            },
          },
        },
      },
    },
  },
  responses: {
    "200": {
      description: "The token.",
      headers: headerRefs("X-Request-Id", "Cache-Status", "Server-Timing"),
      content: { "application/json": { schema: refTo("schemas", "Token") } },
    },
    ...errorResponses(...TOKEN_ERRORS),
  },
};
