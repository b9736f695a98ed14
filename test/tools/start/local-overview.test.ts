import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import { overviewFor } from "../../../tools/start/local-overview.ts";

const SECRET = "-----BEGIN PRIVATE KEY-----";
const ENV = {
  CLIENT_ID: "7",
  KID: "kid",
  PRIVATE_KEY: SECRET,
  CALLERS: [
    { name: "nightly-report", key_sha256: sha256Hex("key"), user_prefix: "night", max_duration: 300 },
    {
      name: "web-users",
      issuer: "https://issuer.example.com",
      audience: "app",
      claims: { role: { pattern: "a|b" }, is_anonymous: false },
      origins: ["https://app.example.com", "https://*.example.org"],
      permissions: ["Connector.botChat"],
    },
  ],
};

describe("overviewFor", () => {
  it("describes callers in the overview by their properties in CALLERS, without the digest of a key", async () => {
    const { callers } = await overviewFor(ENV);
    expect(callers).toEqual([
      { name: "nightly-report", kind: "key", properties: { user_prefix: "night", max_duration: "300" } },
      {
        name: "web-users",
        kind: "jwt",
        properties: {
          issuer: "https://issuer.example.com",
          audience: "app",
          "claims.role": expect.stringContaining("a|b"),
          "claims.is_anonymous": "false",
          user_id: "sub",
          origins: "https://app.example.com, https://*.example.org",
          scope: '{"account_permission":{"permission_list":["Connector.botChat"]}}',
        },
      },
    ]);
  });

  it("describes settings in the overview, with a value only if it is valid and no secret", async () => {
    const { settings } = await overviewFor({ ...ENV, TOKEN_DURATION: "0", AUDIENCE: " " });
    const described = Object.fromEntries(settings.map(({ name, ...setting }) => [name, setting]));
    expect(described).toMatchObject({
      KID: { isSet: true, value: "kid" },
      PRIVATE_KEY: { isSet: true },
      TOKEN_DURATION: { isSet: true },
      AUDIENCE: { isSet: false },
      UPSTREAM_TIMEOUT_MS: { isSet: false, value: "5000" },
      CONSOLE: { isSet: false, value: "on" },
      ALLOWED_ORIGINS: { isSet: false, value: "pages of this machine" },
    });
    expect(described["TOKEN_DURATION"]).not.toHaveProperty("value");
    expect(JSON.stringify(settings)).not.toContain(SECRET);
  });

  it("shows the value of ALLOWED_ORIGINS if it is set", async () => {
    const { settings } = await overviewFor({ ...ENV, ALLOWED_ORIGINS: "*" });
    expect(settings).toContainEqual({ name: "ALLOWED_ORIGINS", isSet: true, value: "*" });
  });

  it("leaves callers out of the overview while CALLERS has issues", async () => {
    expect((await overviewFor({ ...ENV, CALLERS: "[" })).callers).toBeUndefined();
  });
});
