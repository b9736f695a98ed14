import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CozeResponse, type CozeToken, parseCozeResponse } from "../../../../src/adapters/coze/coze-response.ts";
import { TokenError } from "../../../../src/core/token-error.ts";

const IAT = 1_790_000_000;
const READ_AT = IAT + 3;
const DURATION_SECONDS = 900;
const DOCUMENTED_REFUSALS = ["invalid_client", "invalid_request", "unsupported_grant_type", "access_deny"];

const anyString = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) });
const anything = fc.oneof(fc.jsonValue(), anyString);
const number = fc.oneof(
  fc.constantFrom(0, 0.5, -1, 1, 900, 86_399, 1e9, 1e9 + 1, IAT - 1, IAT, IAT + 0.5, IAT + 900.5),
  fc.integer({ min: IAT - 1000, max: IAT + 86_399 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const errorCode = fc.oneof(
  fc.constantFrom("", "internal_error", ...DOCUMENTED_REFUSALS, "4100", "unheard_of"),
  anyString,
  fc.integer(),
);

/** Any combination of properties in a body of Coze, valid or not. */
const body = fc.record(
  {
    access_token: fc.oneof(anyString, anything),
    expires_in: fc.oneof(number, anything),
    error_code: errorCode,
    error_message: fc.oneof(fc.constant("invalid jwt: kid not been registred"), anything),
    error: anything,
    code: fc.oneof(fc.constantFrom(0, 4100), fc.integer()),
    msg: anything,
    token_type: anything,
  },
  { requiredKeys: [] },
);
const grantedBody = fc.record({ access_token: anyString, expires_in: number });
const envelope = {
  status: fc.oneof(fc.constantFrom(200, 200, 200, 301, 400, 401, 429, 500, 503), fc.integer({ min: 200, max: 599 })),
  logId: fc.option(fc.string(), { nil: undefined }),
  retryAfter: fc.oneof(fc.constantFrom(undefined, "0", "7", "-7", "7.5", "Wed, 21 Oct 2099 07:28:00 GMT"), fc.string()),
};
const response: fc.Arbitrary<CozeResponse> = fc.record({
  ...envelope,
  body: fc.oneof(
    fc.oneof(body, grantedBody).map((properties) => JSON.stringify(properties)),
    fc.oneof(fc.json(), fc.string(), fc.constantFrom(undefined, "", "<html>", "null", "[]", "{", "\ufeff{}")),
  ),
});

describe("parsing any response of Coze", () => {
  it("parses a Coze response to an unexpired token of at most the requested life, or to an error", () => {
    fc.assert(
      fc.property(response, (given) => {
        const outcome = outcomeFor(given);
        if (outcome instanceof TokenError) {
          expect(outcome.code).toMatch(/^upstream_(rejected|unavailable|invalid_response)$/);
          expect(outcome.message).toMatch(/^(Coze|The response from Coze) .*[.?]$/);
          expect(outcome.details.coze).toMatchObject({ status: given.status });
        } else {
          expect(outcome).toEqual({
            accessToken: expect.any(String),
            issuedAt: IAT,
            expiresAt: expect.any(Number),
          });
          expect(outcome.accessToken).not.toBe("");
          expect(Number.isInteger(outcome.expiresAt)).toBe(true);
          expect(outcome.expiresAt).toBeGreaterThan(READ_AT);
          expect(outcome.expiresAt).toBeLessThanOrEqual(IAT + DURATION_SECONDS);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("parses a token only from a success status without an error code, with the values of the body", () => {
    fc.assert(
      fc.property(response, (given) => {
        const outcome = outcomeFor(given);
        if (outcome instanceof TokenError) return;
        const { access_token, expires_in, error_code = "", code = 0 } = JSON.parse(given.body ?? "");
        expect(given.status).toBeLessThan(300);
        expect([error_code, code]).toEqual(["", 0]);
        expect(outcome.accessToken).toBe(access_token);
        const latestEnd = IAT + DURATION_SECONDS;
        const ends = [expires_in, IAT + expires_in].map((end) => Math.min(Math.floor(end), latestEnd));
        expect(ends).toContain(outcome.expiresAt);
      }),
      { numRuns: 1000 },
    );
  });

  it("never quotes a token of a Coze response in an error", () => {
    fc.assert(
      fc.property(response, body, (given, properties) => {
        const outcome = outcomeFor({ ...given, body: JSON.stringify({ ...properties, access_token: "czs_secret" }) });
        if (outcome instanceof TokenError)
          expect(outcome.message + JSON.stringify(outcome.details)).not.toContain("czs_secret");
      }),
    );
  });
});

/** Returns the token or the TokenError. Rethrows any other error. */
function outcomeFor(given: CozeResponse): CozeToken | TokenError {
  try {
    return parseCozeResponse(given, { issuedAt: IAT, durationSeconds: DURATION_SECONDS }, READ_AT);
  } catch (error) {
    if (error instanceof TokenError) return error;
    throw error;
  }
}
