import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CozeResponse, type CozeToken, parseCozeResponse } from "../../../../src/adapters/coze/coze-response.ts";
import { TokenError } from "../../../../src/core/token-error.ts";

const ASKED_AT = 1_790_000_000;
const READ_AT = ASKED_AT + 3;
const DURATION_SECONDS = 900;
const DOCUMENTED_REFUSALS = ["invalid_client", "invalid_request", "unsupported_grant_type", "access_deny"];

const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) });
const anything = fc.oneof(fc.jsonValue(), anyText);
const number = fc.oneof(
  fc.constantFrom(0, 0.5, -1, 1, 900, 86_399, 1e9, 1e9 + 1, ASKED_AT - 1, ASKED_AT, ASKED_AT + 0.5, ASKED_AT + 900.5),
  fc.integer({ min: ASKED_AT - 1000, max: ASKED_AT + 86_399 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const errorCode = fc.oneof(
  fc.constantFrom("", "internal_error", ...DOCUMENTED_REFUSALS, "4100", "unheard_of"),
  anyText,
  fc.integer(),
);

/** What Coze may send, in every combination of members, right and wrong. */
const body = fc.record(
  {
    access_token: fc.oneof(anyText, anything),
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
const grantedBody = fc.record({ access_token: anyText, expires_in: number });
const envelope = {
  status: fc.oneof(fc.constantFrom(200, 200, 200, 301, 400, 401, 429, 500, 503), fc.integer({ min: 200, max: 599 })),
  logId: fc.option(fc.string(), { nil: undefined }),
  retryAfter: fc.oneof(fc.constantFrom(undefined, "0", "7", "-7", "7.5", "Wed, 21 Oct 2099 07:28:00 GMT"), fc.string()),
};
const reply: fc.Arbitrary<CozeResponse> = fc.record({
  ...envelope,
  body: fc.oneof(
    fc.oneof(body, grantedBody).map((members) => JSON.stringify(members)),
    fc.oneof(fc.json(), fc.string(), fc.constantFrom(undefined, "", "<html>", "null", "[]", "{", "\ufeff{}")),
  ),
});

describe("whatever Coze answers", () => {
  it("is judged a token that ends in the future, and no later than asked for, or an error that says what to make of it", () => {
    fc.assert(
      fc.property(reply, (answer) => {
        const judged = judge(answer);
        if (judged instanceof TokenError) {
          expect(judged.code).toMatch(/^upstream_(rejected|unavailable|invalid_response)$/);
          expect(judged.message).toMatch(/^(Coze|The response from Coze) .*[.?]$/);
          expect(judged.details.coze).toMatchObject({ status: answer.status });
        } else {
          expect(judged).toEqual({
            accessToken: expect.any(String),
            issuedAt: ASKED_AT,
            expiresAt: expect.any(Number),
          });
          expect(judged.accessToken).not.toBe("");
          expect(Number.isInteger(judged.expiresAt)).toBe(true);
          expect(judged.expiresAt).toBeGreaterThan(READ_AT);
          expect(judged.expiresAt).toBeLessThanOrEqual(ASKED_AT + DURATION_SECONDS);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("is a token only under a status of success, without an error code, and as the body has it", () => {
    fc.assert(
      fc.property(reply, (answer) => {
        const judged = judge(answer);
        if (judged instanceof TokenError) return;
        const { access_token, expires_in, error_code = "", code = 0 } = JSON.parse(answer.body ?? "");
        expect(answer.status).toBeLessThan(300);
        expect([error_code, code]).toEqual(["", 0]);
        expect(judged.accessToken).toBe(access_token);
        const latestEnd = ASKED_AT + DURATION_SECONDS;
        const ends = [expires_in, ASKED_AT + expires_in].map((end) => Math.min(Math.floor(end), latestEnd));
        expect(ends).toContain(judged.expiresAt);
      }),
      { numRuns: 1000 },
    );
  });

  it("is judged by a documented error code before anything else", () => {
    const coded = fc.record({ ...envelope, body, code: fc.constantFrom("internal_error", ...DOCUMENTED_REFUSALS) });
    fc.assert(
      fc.property(coded, ({ body: members, code, ...rest }) => {
        const judged = judge({ ...rest, body: JSON.stringify({ ...members, error_code: code }) });
        expect(judged).toMatchObject({
          code: code === "internal_error" ? "upstream_unavailable" : "upstream_rejected",
        });
      }),
    );
  });

  it("asks for a pause of whole seconds, or for none", () => {
    fc.assert(
      fc.property(reply, (answer) => {
        const judged = judge({ ...answer, status: 429 });
        if (!(judged instanceof TokenError)) throw new Error("A token under 429.");
        const { retryAfterSeconds: pause = 1 } = judged.details;
        expect(Number.isInteger(pause) && pause > 0).toBe(true);
      }),
    );
  });

  it("never shows a token in an error", () => {
    fc.assert(
      fc.property(reply, body, (answer, members) => {
        const judged = judge({ ...answer, body: JSON.stringify({ ...members, access_token: "czs_secret" }) });
        if (judged instanceof TokenError)
          expect(judged.message + JSON.stringify(judged.details)).not.toContain("czs_secret");
      }),
    );
  });
});

/** The token, or the error in its place. Anything else that is thrown is thrown on. */
function judge(answer: CozeResponse): CozeToken | TokenError {
  try {
    return parseCozeResponse(answer, { issuedAt: ASKED_AT, durationSeconds: DURATION_SECONDS }, READ_AT);
  } catch (error) {
    if (error instanceof TokenError) return error;
    throw error;
  }
}
