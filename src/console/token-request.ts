import type { CozeError, TokenErrorCode } from "../core/token-error.ts";
import { type CacheStatus, parseCacheStatus } from "./cache-status.ts";
import type { SettingProblem } from "./health.ts";

/** What the form asks for. What is empty is left out of the request. */
export type TokenFormValues = {
  readonly userId: string;
  readonly credential: string;
  readonly durationSeconds: string;
  /** JSON. */
  readonly scope: string;
};

/** What came back. `receivedAt` is Unix milliseconds by this device: life counts from there. */
export type TokenOutcome =
  | {
      readonly kind: "token";
      readonly token: string;
      readonly cacheStatus: CacheStatus | undefined;
      readonly receivedAt: number;
      readonly requestId: string | undefined;
      readonly body: Readonly<Record<string, unknown>>;
    }
  | ({ readonly kind: "error"; readonly status: number; readonly retryAfter: string | undefined } & ErrorBody)
  | { readonly kind: "no-response" }
  | { readonly kind: "unknown-response"; readonly status: number };

type ErrorBody = {
  readonly error: TokenErrorCode;
  readonly error_description: string;
  readonly request_id: string;
  readonly coze?: CozeError;
  readonly problems?: readonly SettingProblem[];
};

/** Requests a token from the service that this page comes from. */
export async function requestToken(values: TokenFormValues): Promise<TokenOutcome> {
  const response = await fetch("/", requestFor(values)).catch(() => undefined);
  if (response === undefined) return { kind: "no-response" };

  const body: Readonly<Record<string, unknown>> | undefined = await response.json().catch(() => undefined);
  const { access_token: token } = body ?? {};
  if (response.ok && body !== undefined && typeof token === "string") {
    return {
      kind: "token",
      token,
      cacheStatus: parseCacheStatus(response.headers.get("Cache-Status")),
      receivedAt: Date.now(),
      requestId: response.headers.get("X-Request-Id") ?? undefined,
      body,
    };
  }
  if (!isErrorBody(body)) return { kind: "unknown-response", status: response.status };
  return {
    kind: "error",
    status: response.status,
    retryAfter: response.headers.get("Retry-After") ?? undefined,
    ...body,
  };
}

function requestFor({ userId, credential, durationSeconds, scope }: TokenFormValues): RequestInit {
  const body = {
    ...(durationSeconds !== "" && { duration_seconds: Number(durationSeconds) }),
    ...(scope !== "" && { scope: JSON.parse(scope) }),
  };
  const hasBody = Object.keys(body).length > 0;
  return {
    method: "POST",
    headers: {
      ...(userId !== "" && { "X-User-ID": userId }),
      ...(credential !== "" && { Authorization: `Bearer ${credential}` }),
      ...(hasBody && { "Content-Type": "application/json" }),
    },
    ...(hasBody && { body: JSON.stringify(body) }),
  };
}

function isErrorBody(body: unknown): body is ErrorBody {
  return typeof body === "object" && body !== null && "error" in body && "error_description" in body;
}
