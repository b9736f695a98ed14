import { MAX_USER_ID_LENGTH, VISIBLE_ASCII } from "../../src/core/auth/user-id.ts";
import { PLAIN_ID } from "../../src/http/request-id.ts";
import type { Schema } from "./openapi.ts";

/** A user id, as a header or a parameter. */
export const USER_ID: Schema = {
  type: "string",
  minLength: 1,
  maxLength: MAX_USER_ID_LENGTH,
  pattern: VISIBLE_ASCII.source,
  examples: ["user123"],
};

const REQUEST_ID_PARAMETER: Schema = {
  name: "X-Request-Id",
  in: "header",
  description: "The client's own id for the request. One that does not match the pattern is replaced.",
  schema: { type: "string", pattern: PLAIN_ID.source },
};

/** The headers of every token request. */
export const TOKEN_REQUEST_HEADERS: readonly Schema[] = [
  {
    name: "X-User-ID",
    in: "header",
    description:
      "The user, who becomes `session_name`, so that users never share a Coze session or a cached token. Visible ASCII; percent-encode anything else. Requests without it share one session. With a JWT it is not needed, and must be the user of the JWT.",
    schema: USER_ID,
  },
  {
    name: "cf-turnstile-response",
    in: "header",
    description: "The response of the Turnstile widget, if the caller needs one. The body can have it instead.",
    schema: { type: "string" },
  },
  REQUEST_ID_PARAMETER,
];

/** The headers of every other request. */
export const COMMON_HEADERS: readonly Schema[] = [REQUEST_ID_PARAMETER];
