import * as z from "zod";
import { describeIssues, invalidRequest, type Refusal } from "./coze-error.ts";

/** The parameters of a well-formed request. The scope is checked and has no effect. */
export type ExchangeParameters = { readonly durationSeconds: number };

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** Coze documents 900 seconds as the default and 86399 as the maximum. */
const DEFAULT_DURATION_SECONDS = 900;
const MAX_DURATION_SECONDS = 86_399;

const permissionList = z.array(z.string());

/** The scope as the official SDKs know it; the one for Python sends null for a property that is not set. */
const scopeSchema = z.strictObject({
  account_permission: z.strictObject({ permission_list: permissionList }).nullish(),
  attribute_constraint: z
    .strictObject({ connector_bot_chat_attribute: z.strictObject({ bot_id_list: z.array(z.string()) }).nullish() })
    .nullish(),
  workspace_permission: z
    .strictObject({ workspace_id_list: z.array(z.string()).nullish(), permission_list: permissionList.nullish() })
    .nullish(),
  workflow_permission: z
    .strictObject({ workflow_id_list: z.array(z.string()).nullish(), permission_list: permissionList.nullish() })
    .nullish(),
});

/** Other properties pass: the official SDKs for Go and Java send one request type for all grants, `client_id` included. */
const bodySchema = z.object({
  grant_type: z.string(),
  duration_seconds: z.int().min(1).max(MAX_DURATION_SECONDS).default(DEFAULT_DURATION_SECONDS),
  scope: scopeSchema.nullish(),
});

/** Parses the body of an exchange; `json` is the parsed body, or undefined where it is not JSON. */
export function parseTokenRequest(contentType: string | undefined, json: unknown): ExchangeParameters | Refusal {
  if (!/^application\/json *(;|$)/i.test(contentType ?? "")) {
    return invalidRequest("Content-Type", "Content-Type: is not application/json");
  }

  const body = bodySchema.safeParse(json);
  if (!body.success) return invalidRequest(parameterFor(body.error), describeIssues(body.error));
  if (body.data.grant_type !== GRANT_TYPE) return unsupportedGrantType(body.data.grant_type);
  return { durationSeconds: body.data.duration_seconds };
}

/** The parameter that Coze would name: the first one that is wrong, or the body itself. */
function parameterFor(error: z.core.$ZodError): string {
  return String(error.issues[0]?.path[0] ?? "body");
}

function unsupportedGrantType(grantType: string): Refusal {
  const message = `not supported grant type: ${grantType}`;
  return { refused: "unsupported_grant_type", message, problem: `grant_type: is not ${GRANT_TYPE}` };
}
