import { type Refusal, refusalResponse } from "./coze-error.ts";
import type { FaultResponse } from "./faults.ts";
import { LOG_ID_HEADER } from "./log-id.ts";

/** A response before it is sent: what the exchange log records and what the client gets come from the same value. */
export type PreparedResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null for the statuses that have no body. */
  readonly body: string | null;
};

/** A token as it goes to the client. */
export type TokenGrant = { readonly accessToken: string; readonly expiresAt: number };

const JSON_HEADERS = { "Content-Type": "application/json; charset=utf-8" };

/** Coze's response to an exchange. `expires_in` is an absolute Unix time in seconds, as Coze documents it. */
export function exchangeResponse(granted: TokenGrant | Refusal): PreparedResponse {
  if ("refused" in granted) {
    const { status, body } = refusalResponse(granted);
    return { status, headers: JSON_HEADERS, body: JSON.stringify(body) };
  }

  const body = { access_token: granted.accessToken, expires_in: granted.expiresAt, token_type: "Bearer" };
  return { status: 200, headers: JSON_HEADERS, body: JSON.stringify(body) };
}

/** The response of a fault. JSON unless its headers say otherwise; `body_bytes` pads the response of `exchange`. */
export function faultResponse(fault: FaultResponse, exchange: PreparedResponse): PreparedResponse {
  const headers = new Headers(JSON_HEADERS);
  for (const [name, value] of Object.entries(fault.headers)) headers.set(name, value);
  return { status: fault.status, headers: Object.fromEntries(headers), body: faultBody(fault, exchange) };
}

/** The `error_code` that the client finds in a response, or null. */
export function errorCodeIn({ body }: PreparedResponse): string | null {
  const parsed = parseJson(body ?? "");
  const code = typeof parsed === "object" && parsed !== null && "error_code" in parsed ? parsed.error_code : null;
  return typeof code === "string" ? code : null;
}

/** The response as it is sent, log id included. */
export function sendResponse({ status, headers, body }: PreparedResponse, logId: string): Response {
  return new Response(body, { status, headers: { [LOG_ID_HEADER]: logId, ...headers } });
}

/** The value of a JSON string, or undefined for any other string. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function faultBody({ body, body_bytes }: FaultResponse, exchange: PreparedResponse): string | null {
  if (body_bytes !== undefined) return padded(exchange.body ?? "{}", body_bytes);
  if (body === undefined) return null;
  return typeof body === "string" ? body : JSON.stringify(body);
}

/** A JSON object with one more property that brings it to so many bytes. */
function padded(json: string, bytes: number): string {
  const open = `${json.slice(0, -1)},"padding":"`;
  const size = new TextEncoder().encode(`${open}"}`).byteLength;
  return `${open}${"x".repeat(Math.max(0, bytes - size))}"}`;
}
