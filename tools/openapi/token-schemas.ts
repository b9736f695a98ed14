import * as z from "zod";
import { MAX_SCOPE_BYTES, SCOPE_SHAPE, type Shape } from "../../src/core/grant/coze-scope.ts";
import { type TokenRequestBody, tokenRequestBody } from "../../src/http/token-request-body.ts";
import { refTo, type Schema } from "./openapi.ts";

const {
  $schema: _,
  properties: parsedProperties,
  ...parsedBody
} = z.toJSONSchema(tokenRequestBody, {
  io: "input",
  unrepresentable: "any", // the scope, whose parser is a function of core
});

/** The properties that a token request can have in its body. */
export const REQUEST_PROPERTIES: Readonly<Record<keyof TokenRequestBody, Schema>> = {
  duration_seconds: {
    ...parsedSchema("duration_seconds"),
    description: "A shorter life than the service and the caller's rule grant.",
  },
  minimum_seconds: {
    ...parsedSchema("minimum_seconds"),
    description:
      "The life that the token must still have. A cached token with less is renewed first. At most half of the granted life counts.",
  },
  scope: {
    ...refTo("schemas", "CozeScope"),
    description: `For fewer rights than granted; at most ${MAX_SCOPE_BYTES} bytes in canonical form.`,
  },
  rejected_token: {
    ...parsedSchema("rejected_token"),
    description:
      "The token that Coze has rejected. If it is the cached one and at least 10 seconds old, it is replaced. Empty or `null` counts as absent.",
  },
  "cf-turnstile-response": {
    ...parsedSchema("cf-turnstile-response"),
    description: "The same as the header with this name.",
  },
};

/** The schemas of requests for tokens and of their responses. */
export const TOKEN_SCHEMAS: Readonly<Record<string, Schema>> = {
  TokenRequest: { ...parsedBody, description: "All properties are optional.", properties: REQUEST_PROPERTIES },
  CozeScope: {
    description:
      "A Coze scope. Coze documents it as effective on the channel side only. A request can only narrow what is granted.",
    ...shapeSchema(SCOPE_SHAPE),
    examples: [{ account_permission: { permission_list: ["Connector.botChat"] } }],
  },
  Token: {
    type: "object",
    properties: {
      access_token: { type: "string", description: "The access token of Coze.", examples: ["czs_…"] },
      expires_in: {
        type: "integer",
        description: "The Unix time in seconds at which the token expires, as Coze responds and its SDKs expect.",
        examples: [1721135859],
      },
      token_type: { const: "Bearer" },
    },
    required: ["access_token", "expires_in", "token_type"],
    additionalProperties: false,
  },
};

function parsedSchema(name: keyof TokenRequestBody): Schema {
  return parsedProperties?.[name] as Schema; // it is one of the properties of the parser
}

function shapeSchema(shape: Shape): Schema {
  return {
    type: "object",
    properties: Object.fromEntries(
      Object.entries(shape).map(([name, property]) => [
        name,
        property === "list"
          ? { type: "array", items: { type: "string", minLength: 1 }, minItems: 1 }
          : shapeSchema(property),
      ]),
    ),
    minProperties: 1,
    additionalProperties: false,
  };
}
