import { expect, it } from "vitest";
import { assertionClaims } from "../../../../src/core/token/assertion.ts";

const settings = { clientId: "1127", audience: "api.coze.cn", assertionDurationSeconds: 600 };

it("makes an assertion of the claims that Coze documents", () => {
  expect(assertionClaims(settings, "ada", 1_700_000_000, "id")).toEqual({
    iss: "1127",
    aud: "api.coze.cn",
    iat: 1_700_000_000,
    exp: 1_700_000_600,
    jti: "id",
    session_name: "ada",
  });
});

it("makes an assertion without session_name when there is no user", () => {
  expect(assertionClaims(settings, undefined, 1, "id")).not.toHaveProperty("session_name");
});
