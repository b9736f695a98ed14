import { vi } from "vitest";
import type { TokenErrorCode } from "../../src/core/token-error.ts";
import { createTestApp, type Fault } from "./coze.ts";
import { assertionOf, CLIENT_CREDENTIALS, form } from "./oauth.ts";
import { json, startWorker } from "./worker.ts";

/** What makes a request end as it does. */
export type Cause = {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly fault?: Fault;
  /** Breaks something in the isolate, until all mocks are restored. */
  readonly breakIsolate?: () => void;
  readonly init?: RequestInit;
};

/** Sends a request such as `POST /` to a new Worker, with a new app at Coze. */
export async function sendIn(cause: Cause, request: string): Promise<Response> {
  const [method = "", path = ""] = request.split(" ");
  const app = await createTestApp();
  if (cause.fault) await app.arm(cause.fault);
  const worker = await startWorker({ ...app.settings, ...cause.settings });
  cause.breakIsolate?.();
  return worker.fetch(path, { ...cause.init, method });
}

/** Encodes what a token request asks for, for its path. */
type Encode = (parameters: object, headers?: object) => RequestInit;

const asJson: Encode = (parameters, headers = {}) => {
  const init = json(parameters);
  return { ...init, headers: { ...init.headers, ...headers } };
};
const asForm: Encode = (parameters, headers) => form({ grant_type: CLIENT_CREDENTIALS, ...parameters }, headers);

/** The page of another origin than those that are listed. */
export const FOREIGN_PAGE: Cause = {
  settings: { ALLOWED_ORIGINS: "https://app.example.com" },
  init: { headers: { Origin: "https://evil.example" } },
};

/** For each error of a token request, something that causes it. */
export const CAUSES = tokenErrorCauses(asJson);

/** For each error of a token request of OAuth, something that causes it. */
export const OAUTH_CAUSES = {
  ...tokenErrorCauses(asForm),
  unsupported_grant_type: { init: form({ grant_type: "password" }) },
  invalid_grant: {
    init: form(assertionOf("no-jwt")),
    settings: { CALLERS: [{ name: "users", issuer: "http://127.0.0.1:9", audience: "a" }] },
  },
} satisfies Partial<Record<TokenErrorCode, Cause>>;

function tokenErrorCauses(encode: Encode) {
  const init = encode({});
  return {
    invalid_request: { init: encode({}, { "X-User-ID": "" }) },
    invalid_scope: { init: encode({ duration_seconds: 9999 }) },
    invalid_client: { init, settings: { CALLERS: [{ name: "script", key_sha256: "0".repeat(64) }] } },
    access_denied: FOREIGN_PAGE,
    payload_too_large: { init: encode({ rejected_token: "x".repeat(20_000) }) },
    unsupported_media_type: { init: { body: "a" } },
    rate_limited: { init, settings: { RATE_LIMITER: { limit: async () => ({ success: false }) } } },
    server_misconfigured: { init, settings: { KID: "", TOKEN_DURATION: "ten" } },
    server_error: { init, breakIsolate },
    upstream_rejected: { init, settings: { KID: "unknown" } },
    upstream_invalid_response: {
      init,
      fault: { response: { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>hello</html>" } },
    },
    upstream_unavailable: {
      init,
      fault: { times: 3, response: { status: 503, body: { error_code: "", error_message: "busy" } } },
    },
    upstream_timeout: { init, settings: { UPSTREAM_TIMEOUT_MS: 50 }, fault: { times: 3, hang: true } },
    issuer_unavailable: {
      init: encode({}, { Authorization: unsignedJwt("http://127.0.0.1:9") }),
      settings: { CALLERS: [{ name: "users", issuer: "http://127.0.0.1:9", audience: "a" }] },
    },
  } satisfies Partial<Record<TokenErrorCode, Cause>>;
}

/** Lets a call throw that never fails otherwise. */
function breakIsolate(): void {
  vi.spyOn(crypto, "getRandomValues").mockImplementation(() => {
    throw new Error("a bug");
  });
}

/** A well-formed JWT of an issuer. */
function unsignedJwt(iss: string): string {
  const parts = [JSON.stringify({ alg: "RS256", kid: "1" }), JSON.stringify({ iss }), "signature"];
  return parts.map((part) => btoa(part).replace(/=+$/, "")).join(".");
}
