import { vi } from "vitest";
import type { TokenErrorCode } from "../../src/core/token-error.ts";
import type { Fault } from "./coze.ts";

/** What makes a request end as it does. */
export type Cause = {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly fault?: Fault;
  /** Breaks something in the isolate, until all mocks are restored. */
  readonly breakIsolate?: () => void;
  readonly init?: RequestInit;
};

/** Writes what a token request asks for, in the format of its path. */
type Encode = (parameters: Readonly<Record<string, string | number>>, headers?: object) => RequestInit;

/** A well-formed JWT of an issuer that is down. */
const UNSIGNED_JWT = [{ alg: "RS256", kid: "1" }, { iss: "http://127.0.0.1:9" }, ""]
  .map((part) => btoa(part === "" ? "signature" : JSON.stringify(part)).replace(/=+$/, ""))
  .join(".");

/** For each error of a token request, something that causes it, whatever the path. */
export function tokenErrorCauses(encode: Encode) {
  const init = encode({});
  return {
    invalid_request: { init: encode({}, { "X-User-ID": "" }) },
    invalid_scope: { init: encode({ duration_seconds: 9999 }) },
    invalid_client: { init, settings: { CALLERS: [{ name: "script", key_sha256: "0".repeat(64) }] } },
    access_denied: {
      init: encode({}, { Origin: "https://evil.example" }),
      settings: { ALLOWED_ORIGINS: "https://app.example.com" },
    },
    payload_too_large: { init: encode({ rejected_token: "x".repeat(20_000) }) },
    unsupported_media_type: { init: { body: "a" } },
    rate_limited: { init, settings: { RATE_LIMITER: { limit: async () => ({ success: false }) } } },
    server_misconfigured: { init, settings: { KID: "", TOKEN_DURATION: "ten" } },
    server_error: {
      init,
      // A call that never fails otherwise.
      breakIsolate() {
        vi.spyOn(crypto, "getRandomValues").mockImplementation(() => {
          throw new Error("a bug");
        });
      },
    },
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
      init: encode({}, { Authorization: UNSIGNED_JWT }),
      settings: { CALLERS: [{ name: "users", issuer: "http://127.0.0.1:9", audience: "a" }] },
    },
  } satisfies Partial<Record<TokenErrorCode, Cause>>;
}
