import { describe, expect, it } from "vitest";
import { type CozeResponse, parseCozeResponse } from "../../../../src/adapters/coze/coze-response.ts";

const IAT = 1_790_000_000;
const REQUESTED = { issuedAt: IAT, durationSeconds: 900 };
const granted = { access_token: "czs_token", expires_in: IAT + 900 };

const INVALID = "upstream_invalid_response";
const UNAVAILABLE = "upstream_unavailable";
const REJECTED = "upstream_rejected";

function response(body: unknown, overrides: Partial<CozeResponse> = {}): CozeResponse {
  return {
    status: 200,
    logId: "2026112000000000000000000000000001",
    retryAfter: undefined,
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...overrides,
  };
}

function errorFor(given: CozeResponse): unknown {
  try {
    return parseCozeResponse(given, REQUESTED, IAT);
  } catch (error) {
    return error;
  }
}

describe("parsing a response with a token", () => {
  it.each([
    ["a Unix time, as Coze documents", IAT + 600, IAT + 600],
    ["a lifetime from iat, as RFC 6749 has it", 600, IAT + 600],
    ["a fraction of a second, rounded down", IAT + 600.9, IAT + 600],
    ["no longer than requested", IAT + 86_399, IAT + 900],
    ["no longer than requested, as a lifetime", 86_399, IAT + 900],
    ["no longer than requested, in milliseconds", (IAT + 600) * 1000, IAT + 900],
    ["a time just ahead", IAT + 3, IAT + 3],
  ])("reads expires_in of a Coze response as %s", (_what, expiresIn, expiresAt) => {
    const readAt = IAT + 2;
    expect(parseCozeResponse(response({ ...granted, expires_in: expiresIn }), REQUESTED, readAt)).toEqual({
      accessToken: "czs_token",
      issuedAt: IAT,
      expiresAt,
    });
  });

  it.each([
    ["a Unix time", IAT + 2],
    ["a lifetime", 2.9],
  ])("rejects a token that has expired when the response is read, with expires_in as %s", (_what, expiresIn) => {
    const late = () => parseCozeResponse(response({ ...granted, expires_in: expiresIn }), REQUESTED, IAT + 2);
    expect(late).toThrow("already expired");
  });

  it("ignores other properties of a Coze response, including empty error properties", () => {
    const body = { ...granted, token_type: "Bearer", error_code: "", error_message: "", error: "", code: 0, msg: "" };
    expect(parseCozeResponse(response(body), REQUESTED, IAT)).toMatchObject({ accessToken: "czs_token" });
  });
});

describe("parsing a response without a usable token", () => {
  it.each<[string, CozeResponse, string, string]>([
    ["HTML", response("<html>"), INVALID, "not a JSON object"],
    ["HTML under 404", response("<html>", { status: 404 }), INVALID, "TOKEN_ENDPOINT"],
    ["an empty body", response(""), INVALID, "not a JSON object"],
    ["a JSON list", response([]), INVALID, "not a JSON object"],
    ["JSON null", response(null), INVALID, "not a JSON object"],
    ["{}", response({}), INVALID, "no access_token"],
    ["an empty token", response({ ...granted, access_token: "" }), INVALID, "no access_token"],
    ["a token that is not a string", response({ ...granted, access_token: 1 }), INVALID, "no access_token"],
    ["no expires_in", response({ access_token: "t" }), INVALID, "expires_in"],
    ["expires_in as a string", response({ ...granted, expires_in: "900" }), INVALID, "expires_in"],
    ["expires_in of 0", response({ ...granted, expires_in: 0 }), INVALID, "expires_in"],
    ["a negative expires_in", response({ ...granted, expires_in: -1 }), INVALID, "expires_in"],
    ["an expired token", response({ ...granted, expires_in: IAT }), INVALID, "already expired"],
    ["a body too large", { ...response(""), body: undefined }, INVALID, "64 KiB"],
    ["a redirect", response("", { status: 307 }), INVALID, "redirect"],
    ["429", response("", { status: 429 }), UNAVAILABLE, "Try again"],
    ["502 with HTML", response("<html>", { status: 502 }), UNAVAILABLE, "Try again"],
    ["503 too large to read", { ...response(""), status: 503, body: undefined }, UNAVAILABLE, "Try again"],
    ["internal_error", response({ error_code: "internal_error" }, { status: 500 }), UNAVAILABLE, "Try again"],
    ["internal_error under 200", response({ error_code: "internal_error" }), UNAVAILABLE, "Try again"],
    ["invalid_client", response({ error_code: "invalid_client" }, { status: 401 }), REJECTED, "CLIENT_ID, KID"],
    ["invalid_client under 200", response({ error_code: "invalid_client" }), REJECTED, "CLIENT_ID, KID"],
    ["invalid_client under 500", response({ error_code: "invalid_client" }, { status: 500 }), REJECTED, "KID"],
    [
      "an unknown kid",
      response({ error_code: "invalid_client", error_message: "invalid jwt: kid not been registred" }, { status: 401 }),
      REJECTED,
      "same region as TOKEN_ENDPOINT",
    ],
    ["4100 of the other APIs", response({ code: 4100, msg: "no" }, { status: 401 }), REJECTED, "same region"],
    ["an unknown kid without a code", response({ msg: "kid not been registred" }, { status: 401 }), REJECTED, "region"],
    ["access_deny", response({ error_code: "access_deny" }, { status: 403 }), REJECTED, "active"],
    ["invalid_request", response({ error_code: "invalid_request" }, { status: 400 }), REJECTED, "parameter"],
    ["an unknown error under 200", response({ ...granted, error_code: "new" }), REJECTED, "See coze"],
    ["an inherited name as error", response({ error_code: "toString" }, { status: 503 }), UNAVAILABLE, "again"],
    ["403 without a reason", response({}, { status: 403 }), REJECTED, "See coze"],
  ])("checks Coze's error_code first and the status second: %s", (_what, given, code, sentence) => {
    expect(errorFor(given)).toMatchObject({ name: "TokenError", code, message: expect.stringContaining(sentence) });
  });

  it("passes on the message of Coze unchanged", () => {
    const body = { error_code: "access_deny", error_message: 'app: "Shop" is currently deactivated by the owner' };
    expect(errorFor(response(body, { status: 403 }))).toMatchObject({
      details: {
        coze: {
          status: 403,
          error_code: "access_deny",
          error_message: 'app: "Shop" is currently deactivated by the owner',
          log_id: "2026112000000000000000000000000001",
        },
      },
    });
  });

  it.each([
    ["error_code", "error_message"],
    ["code", "msg"],
    ["error_code", "error"],
  ])("cuts %s and %s of a Coze error to 500 characters", (code, message) => {
    const body = { [code]: "a".repeat(501), [message]: "b".repeat(60_000) };
    expect(errorFor(response(body, { status: 403, logId: undefined }))).toHaveProperty("details.coze", {
      status: 403,
      error_code: "a".repeat(500),
      error_message: "b".repeat(500),
    });
  });

  it("omits error properties that Coze did not send", () => {
    const error = errorFor(response({}, { status: 403, logId: undefined }));
    expect(error).toHaveProperty("details.coze", { status: 403 });
  });

  it.each([
    ["7", 7],
    ["86400", 300],
    ["9".repeat(400), 300],
    [new Date((IAT + 30) * 1000).toUTCString(), 30],
    [new Date((IAT - 30) * 1000).toUTCString(), undefined],
    ["0", undefined],
    ["soon", undefined],
    [undefined, undefined],
  ])("reads Coze's Retry-After %j as %j seconds", (retryAfter, seconds) => {
    const error = errorFor(response("", { status: 429, retryAfter }));
    expect((error as { details: { retryAfterSeconds?: number } }).details.retryAfterSeconds).toBe(seconds);
  });
});
