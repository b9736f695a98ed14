import { describe, expect, it } from "vitest";
import { type CozeResponse, parseCozeResponse } from "../../../../src/adapters/coze/coze-response.ts";

const ASKED_AT = 1_790_000_000;
const ASKED_LIFE = { issuedAt: ASKED_AT, durationSeconds: 900 };
const granted = { access_token: "czs_token", expires_in: ASKED_AT + 900 };

function reply(body: unknown, bent: Partial<CozeResponse> = {}): CozeResponse {
  return {
    status: 200,
    logId: "2026112000000000000000000000000001",
    retryAfter: undefined,
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...bent,
  };
}

function refusal(bent: CozeResponse): unknown {
  try {
    return parseCozeResponse(bent, ASKED_LIFE, ASKED_AT);
  } catch (error) {
    return error;
  }
}

describe("an answer with a token", () => {
  it.each([
    ["a moment, as Coze documents", ASKED_AT + 600, ASKED_AT + 600],
    ["a lifetime from iat, as RFC 6749 has it", 600, ASKED_AT + 600],
    ["a fraction of a second, cut off", ASKED_AT + 600.9, ASKED_AT + 600],
    ["no longer than asked for", ASKED_AT + 86_399, ASKED_AT + 900],
    ["no longer than asked for, as a lifetime", 86_399, ASKED_AT + 900],
    ["no longer than asked for, in milliseconds", (ASKED_AT + 600) * 1000, ASKED_AT + 900],
    ["an end just ahead", ASKED_AT + 3, ASKED_AT + 3],
  ])("reads expires_in as %s", (_what, expiresIn, expiresAt) => {
    const readAt = ASKED_AT + 2;
    expect(parseCozeResponse(reply({ ...granted, expires_in: expiresIn }), ASKED_LIFE, readAt)).toEqual({
      accessToken: "czs_token",
      issuedAt: ASKED_AT,
      expiresAt,
    });
  });

  it.each([
    ["as a moment", ASKED_AT + 2],
    ["as a lifetime", 2.9],
  ])("is refused when the token has ended by the time it is read: %s", (_what, expiresIn) => {
    const late = () => parseCozeResponse(reply({ ...granted, expires_in: expiresIn }), ASKED_LIFE, ASKED_AT + 2);
    expect(late).toThrow("already expired");
  });

  it("may carry members of no interest, empty error members included", () => {
    const body = { ...granted, token_type: "Bearer", error_code: "", error_message: "", error: "", code: 0, msg: "" };
    expect(parseCozeResponse(reply(body), ASKED_LIFE, ASKED_AT)).toMatchObject({ accessToken: "czs_token" });
  });
});

describe("an answer without a usable token", () => {
  it.each<[string, CozeResponse, string, string]>([
    ["HTML", reply("<html>"), "upstream_invalid_response", "not a JSON object"],
    ["HTML under 404", reply("<html>", { status: 404 }), "upstream_invalid_response", "TOKEN_ENDPOINT"],
    ["an empty body", reply(""), "upstream_invalid_response", "not a JSON object"],
    ["a JSON list", reply([]), "upstream_invalid_response", "not a JSON object"],
    ["JSON null", reply(null), "upstream_invalid_response", "not a JSON object"],
    ["{}", reply({}), "upstream_invalid_response", "no access_token"],
    ["an empty token", reply({ ...granted, access_token: "" }), "upstream_invalid_response", "no access_token"],
    ["a token that is no text", reply({ ...granted, access_token: 1 }), "upstream_invalid_response", "no access_token"],
    ["no expires_in", reply({ access_token: "t" }), "upstream_invalid_response", "expires_in"],
    ["expires_in as text", reply({ ...granted, expires_in: "900" }), "upstream_invalid_response", "expires_in"],
    ["expires_in of 0", reply({ ...granted, expires_in: 0 }), "upstream_invalid_response", "expires_in"],
    ["a negative expires_in", reply({ ...granted, expires_in: -1 }), "upstream_invalid_response", "expires_in"],
    ["an ended token", reply({ ...granted, expires_in: ASKED_AT }), "upstream_invalid_response", "already expired"],
    ["a body too large", { ...reply(""), body: undefined }, "upstream_invalid_response", "64 KiB"],
    ["a redirect", reply("", { status: 307 }), "upstream_invalid_response", "redirect"],
    ["429", reply("", { status: 429 }), "upstream_unavailable", "Try again"],
    ["502 with HTML", reply("<html>", { status: 502 }), "upstream_unavailable", "Try again"],
    ["503 too large to read", { ...reply(""), status: 503, body: undefined }, "upstream_unavailable", "Try again"],
    ["internal_error", reply({ error_code: "internal_error" }, { status: 500 }), "upstream_unavailable", "Try again"],
    ["internal_error under 200", reply({ error_code: "internal_error" }), "upstream_unavailable", "Try again"],
    ["invalid_client", reply({ error_code: "invalid_client" }, { status: 401 }), "upstream_rejected", "CLIENT_ID, KID"],
    ["invalid_client under 200", reply({ error_code: "invalid_client" }), "upstream_rejected", "CLIENT_ID, KID"],
    ["invalid_client under 500", reply({ error_code: "invalid_client" }, { status: 500 }), "upstream_rejected", "KID"],
    [
      "an unknown kid",
      reply({ error_code: "invalid_client", error_message: "invalid jwt: kid not been registred" }, { status: 401 }),
      "upstream_rejected",
      "same region as TOKEN_ENDPOINT",
    ],
    ["4100 of the other APIs", reply({ code: 4100, msg: "no" }, { status: 401 }), "upstream_rejected", "same region"],
    [
      "an unknown kid without a code",
      reply({ msg: "kid not been registred" }, { status: 401 }),
      "upstream_rejected",
      "region",
    ],
    ["access_deny", reply({ error_code: "access_deny" }, { status: 403 }), "upstream_rejected", "active"],
    ["invalid_request", reply({ error_code: "invalid_request" }, { status: 400 }), "upstream_rejected", "parameter"],
    ["an unknown error under 200", reply({ ...granted, error_code: "new" }), "upstream_rejected", "See coze"],
    ["an inherited name as error", reply({ error_code: "toString" }, { status: 503 }), "upstream_unavailable", "again"],
    ["403 without a reason", reply({}, { status: 403 }), "upstream_rejected", "See coze"],
  ])("is judged by error_code first and status second: %s", (_what, bent, code, sentence) => {
    expect(refusal(bent)).toMatchObject({ name: "TokenError", code, message: expect.stringContaining(sentence) });
  });

  it("passes Coze's own words on untouched", () => {
    const body = { error_code: "access_deny", error_message: 'app: "Shop" is currently deactivated by the owner' };
    expect(refusal(reply(body, { status: 403 }))).toMatchObject({
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
  ])("cuts %s and %s to 500 characters", (code, message) => {
    const body = { [code]: "a".repeat(501), [message]: "b".repeat(60_000) };
    expect(refusal(reply(body, { status: 403, logId: undefined }))).toHaveProperty("details.coze", {
      status: 403,
      error_code: "a".repeat(500),
      error_message: "b".repeat(500),
    });
  });

  it("leaves out what Coze did not say", () => {
    const error = refusal(reply({}, { status: 403, logId: undefined }));
    expect(error).toHaveProperty("details.coze", { status: 403 });
  });

  it.each([
    ["7", 7],
    ["86400", 300],
    ["9".repeat(400), 300],
    [new Date((ASKED_AT + 30) * 1000).toUTCString(), 30],
    [new Date((ASKED_AT - 30) * 1000).toUTCString(), undefined],
    ["0", undefined],
    ["soon", undefined],
    [undefined, undefined],
  ])("reads Retry-After %j as %j seconds", (retryAfter, seconds) => {
    const error = refusal(reply("", { status: 429, retryAfter }));
    expect((error as { details: { retryAfterSeconds?: number } }).details.retryAfterSeconds).toBe(seconds);
  });
});
