import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/config.ts";
import type { Issue } from "../../../src/core/issue.ts";

const required = { CLIENT_ID: "1127", KID: "kid", PRIVATE_KEY: "key" };
const DIGEST = "ab".repeat(32);
const NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const script = { name: "script", key_sha256: DIGEST };
const web = { name: "web", issuer: "https://id.example.com", audience: "api" };
const visitors = { name: "visitors", anonymous: true };

async function issuesFor(callers: unknown, settings: object = {}): Promise<readonly Issue[]> {
  const parsed = await parseConfig({ ...required, CALLERS: callers, ...settings });
  if ("value" in parsed) throw new Error("The settings were accepted.");
  return parsed.issues;
}

const claims = (rules: object) => [{ ...web, claims: rules }];
const pattern = (source: string) => claims({ role: { pattern: source } });

describe("the list of callers", () => {
  const notEmpty = "must not be empty";
  it.each<[string, unknown, string, string]>([
    ["a table instead of a list", script, "CALLERS", "must be a list of callers"],
    ["a number", 1, "CALLERS", "must be a list of callers"],
    ["a string that is not JSON", "[{", "CALLERS", "must be a list of callers"],
    ["JSON that is no list", '{"name":"x"}', "CALLERS", "must be a list of callers"],
    ["an empty list", [], "CALLERS", `${notEmpty}: leave it out for an open service`],
    ["an empty list as a string", "[]", "CALLERS", notEmpty],
    ["a caller that is no table", [script, "x"], "CALLERS[1]", "must be a table"],
    ["a list instead of a table", [[script]], "CALLERS[0]", "must be a table"],
    ["an unknown property", [{ ...script, role: "x" }], "CALLERS[0]", "has unknown properties: role"],
    ["unknown properties", [{ ...script, a: 1, b: 2 }], "CALLERS[0]", "has unknown properties: a, b"],
    ["no name", [{ key_sha256: DIGEST }], "CALLERS[0].name", "is required"],
    ["an empty name", [{ ...script, name: "" }], "CALLERS[0].name", "must be 1 to 64 letters, digits"],
    ["a name with a space", [{ ...script, name: "my script" }], "CALLERS[0].name", "must be 1 to 64 letters, digits"],
    ["a name with a colon", [{ ...script, name: "a:b" }], "CALLERS[0].name", "must be 1 to 64 letters, digits"],
    [
      "a name that begins with a dot",
      [{ ...script, name: ".a" }],
      "CALLERS[0].name",
      "must be 1 to 64 letters, digits",
    ],
    ["a name of 65 characters", [{ ...script, name: "x".repeat(65) }], "CALLERS[0].name", "must be 1 to 64"],
    ["a name with a line break", [{ ...script, name: "a\n" }], "CALLERS[0].name", "must be 1 to 64 letters, digits"],
    ["a name twice", [script, { ...web, name: "script" }], "CALLERS[1].name", "is that of CALLERS[0] too"],
    ["no kind", [{ name: "x" }], "CALLERS[0]", "needs one of key_sha256, issuer or anonymous"],
    ["two kinds", [{ ...script, anonymous: true }], "CALLERS[0]", "cannot have key_sha256 and anonymous at once"],
    ["audience without an issuer", [{ ...script, audience: "api" }], "CALLERS[0].audience", "with issuer"],
    ["claims without an issuer", [{ ...visitors, claims: { a: 1 } }], "CALLERS[0].claims", "with issuer"],
    ["user_id without an issuer", [{ ...script, user_id: "sub" }], "CALLERS[0].user_id", "with issuer"],
    ["jwks_uri without an issuer", [{ ...script, jwks_uri: "https://a.example/" }], "CALLERS[0].jwks_uri", "issuer"],
    ["a digest that is short", [{ ...script, key_sha256: "ab" }], "CALLERS[0].key_sha256", "64 hexadecimal digits"],
    ["a digest that is long", [{ ...script, key_sha256: `${DIGEST}a` }], "CALLERS[0].key_sha256", "64 hexadecimal"],
    ["a digest of other letters", [{ ...script, key_sha256: "g".repeat(64) }], "CALLERS[0].key_sha256", "64 hex"],
    ["a digest and a file name", [{ ...script, key_sha256: `${DIGEST}  -` }], "CALLERS[0].key_sha256", "64 hex"],
    ["a digest that is not a string", [{ ...script, key_sha256: 1 }], "CALLERS[0].key_sha256", "must be a string"],
    ["the digest of nothing", [{ ...script, key_sha256: NOTHING }], "CALLERS[0].key_sha256", "the key was empty"],
    [
      "the digest of nothing in capitals",
      [{ ...script, key_sha256: NOTHING.toUpperCase() }],
      "CALLERS[0].key_sha256",
      "the key was empty",
    ],
    ["an issuer over http", [{ ...web, issuer: "http://id.example.com" }], "CALLERS[0].issuer", "begin with https://"],
    ["an issuer without a scheme", [{ ...web, issuer: "id.example.com" }], "CALLERS[0].issuer", "a complete URL"],
    ["an issuer with credentials", [{ ...web, issuer: "https://u:p@a.example" }], "CALLERS[0].issuer", "user name"],
    ["an empty issuer", [{ ...web, issuer: "" }], "CALLERS[0].issuer", notEmpty],
    ["a jwks_uri over http", [{ ...web, jwks_uri: "http://a.example/" }], "CALLERS[0].jwks_uri", "https://"],
    ["a jwks_uri that is a path", [{ ...web, jwks_uri: "/keys" }], "CALLERS[0].jwks_uri", "a complete URL"],
    ["no audience", [{ name: "web", issuer: web.issuer }], "CALLERS[0].audience", "is required, or else claims.azp"],
    [
      "no audience, and azp by pattern",
      [{ name: "web", issuer: web.issuer, claims: { azp: { pattern: "https://[a-z]+" } } }],
      "CALLERS[0].audience",
      "is required, or else claims.azp",
    ],
    ["an empty audience", [{ ...web, audience: "" }], "CALLERS[0].audience", notEmpty],
    ["a list of audiences", [{ ...web, audience: ["api"] }], "CALLERS[0].audience", "must be a string"],
    ["an empty user_id", [{ ...web, user_id: "" }], "CALLERS[0].user_id", notEmpty],
    ["claims that are a list", [{ ...web, claims: ["a"] }], "CALLERS[0].claims", "must be a table of claims"],
    ["an empty claim", claims({ role: "" }), "CALLERS[0].claims.role", notEmpty],
    [
      "a claim that is a list",
      claims({ role: ["a"] }),
      "CALLERS[0].claims.role",
      "must be a value, or { pattern = … }",
    ],
    ["a claim of null", claims({ role: null }), "CALLERS[0].claims.role", "must be a value, or"],
    ["a claim with another rule", claims({ role: { one_of: ["a"] } }), "CALLERS[0].claims.role", "must be a value, or"],
    ["an empty pattern", pattern(""), "CALLERS[0].claims.role.pattern", notEmpty],
    ["a broken pattern", pattern("("), "CALLERS[0].claims.role.pattern", "is not a regular expression"],
    [
      "a pattern that ends the group around it",
      pattern("a)|(?:b"),
      "CALLERS[0].claims.role.pattern",
      "is not a regular",
    ],
    ["a pattern with lookaround", pattern("(?!x).*"), "CALLERS[0].claims.role.pattern", "must do without lookaround"],
    ["a pattern that can run for long", pattern("(\\w+\\s?)+"), "CALLERS[0].claims.role.pattern", "can take too long"],
    ["a pattern of another dialect", pattern("(?i)a"), "CALLERS[0].claims.role.pattern", "is not a regular expression"],
    ["anonymous = false", [{ name: "x", anonymous: false }], "CALLERS[0].anonymous", "must be true, or left out"],
    ["turnstile = false", [{ ...visitors, turnstile: false }], "CALLERS[0].turnstile", "must be true, or left out"],
    [
      "turnstile as a string",
      [{ ...visitors, turnstile: "true" }],
      "CALLERS[0].turnstile",
      "must be true, or left out",
    ],
    [
      "a host name without turnstile",
      [{ ...visitors, turnstile_hostname: "a" }],
      "CALLERS[0].turnstile_hostname",
      "needs",
    ],
    ["an action without turnstile", [{ ...visitors, turnstile_action: "a" }], "CALLERS[0].turnstile_action", "needs"],
    ["an empty list of origins", [{ ...script, origins: [] }], "CALLERS[0].origins", notEmpty],
    ["an empty origin", [{ ...script, origins: [""] }], "CALLERS[0].origins[0]", notEmpty],
    [
      "an origin with a path",
      [{ ...script, origins: ["https://a.example/x"] }],
      "CALLERS[0].origins",
      "must be * alone",
    ],
    ["an origin without a scheme", [{ ...script, origins: ["a.example"] }], "CALLERS[0].origins", "must be * alone"],
    ["all origins and one", [{ ...script, origins: ["*", "https://a.example"] }], "CALLERS[0].origins", "must be *"],
    [
      "origins as a string",
      [{ ...script, origins: "https://a.example" }],
      "CALLERS[0].origins",
      "must be a list of strings",
    ],
    ["a prefix with a colon", [{ ...script, user_prefix: "a:b" }], "CALLERS[0].user_prefix", "must be at most 32"],
    ["a prefix of 33", [{ ...script, user_prefix: "x".repeat(33) }], "CALLERS[0].user_prefix", "must be at most 32"],
    ["a prefix that is no string", [{ ...script, user_prefix: 1 }], "CALLERS[0].user_prefix", "must be a string"],
    [
      "users of two issuers without a prefix",
      [web, { ...web, name: "partners", issuer: "https://other.example" }],
      "CALLERS[1].user_prefix",
      "is required: user ids of CALLERS[0], which has another issuer or user_id, could be the same",
    ],
    [
      "two kinds of users of one issuer without a prefix",
      [web, { ...web, name: "staff", audience: "staff", user_id: "email" }],
      "CALLERS[1].user_prefix",
      "is required: user ids of CALLERS[0]",
    ],
    [
      "visitors whose name is the prefix of others",
      [visitors, { ...web, user_prefix: "visitors" }],
      "CALLERS[1].user_prefix",
      "would share sessions with CALLERS[0]: the name of an anonymous caller",
    ],
    [
      "visitors whose name is the prefix of others before them",
      [{ ...script, user_prefix: "visitors" }, visitors],
      "CALLERS[1].user_prefix",
      "would share sessions with CALLERS[0]: the name of an anonymous caller",
    ],
    ["bots without permissions", [{ ...script, bot_ids: ["1"] }], "CALLERS[0].bot_ids", "needs permissions beside it"],
    [
      "a limiter that is not bound",
      [{ ...script, limiter: "TEAM_A_LIMITER" }],
      "CALLERS[0].limiter",
      "names no rate-limit binding",
    ],
    [
      "a limiter that is no limiter",
      [{ ...script, limiter: "CLIENT_ID" }],
      "CALLERS[0].limiter",
      "names no rate-limit binding",
    ],
    ["an empty list of bots", [{ ...script, bot_ids: [] }], "CALLERS[0].bot_ids", notEmpty],
    ["an empty bot id", [{ ...script, bot_ids: ["1", ""] }], "CALLERS[0].bot_ids[1]", notEmpty],
    ["a bot id that is a number", [{ ...script, bot_ids: [7379462189] }], "CALLERS[0].bot_ids[0]", "must be strings"],
    ["all bots", [{ ...script, bot_ids: true }], "CALLERS[0].bot_ids", "must be a list of strings"],
    ["an empty list of permissions", [{ ...script, permissions: [] }], "CALLERS[0].permissions", notEmpty],
    ["an empty permission", [{ ...script, permissions: [""] }], "CALLERS[0].permissions[0]", notEmpty],
    ["a life of 0", [{ ...script, max_duration: 0 }], "CALLERS[0].max_duration", "must be at least 1"],
    ["a life of a day", [{ ...script, max_duration: 86_400 }], "CALLERS[0].max_duration", "must be at most 86399"],
    ["a life with a fraction", [{ ...script, max_duration: 1.5 }], "CALLERS[0].max_duration", "must be a whole number"],
    ["a life as a string", [{ ...script, max_duration: "900" }], "CALLERS[0].max_duration", "must be a whole number"],
    ["two anonymous callers", [visitors, { ...visitors, name: "others" }], "CALLERS[1]", "from CALLERS[0]"],
    ["one key twice", [script, web, { ...script, name: "again" }], "CALLERS[2]", "from CALLERS[0]"],
    [
      "one key twice, in another case",
      [script, { name: "again", key_sha256: DIGEST.toUpperCase() }],
      "CALLERS[1]",
      "cannot be told apart from CALLERS[0], which comes first and matches as well",
    ],
    ["one issuer and audience twice", [web, { ...web, name: "again" }], "CALLERS[1]", "from CALLERS[0]"],
    [
      "one issuer, audience and claims twice",
      [
        { ...web, claims: { a: 1, b: { pattern: "x+" } } },
        { ...web, name: "again", claims: { b: { pattern: "x+" }, a: 1 } },
      ],
      "CALLERS[1]",
      "from CALLERS[0]",
    ],
    [
      "a caller behind one that asks for less",
      [
        { ...web, claims: { a: 1 } },
        { ...web, name: "again", claims: { a: 1, b: 2 } },
      ],
      "CALLERS[1]",
      "from CALLERS[0]",
    ],
    [
      "two places for the keys of one issuer",
      [web, { ...web, name: "again", audience: "b", jwks_uri: "https://id.example.com/keys" }],
      "CALLERS[1].jwks_uri",
      "is not that of CALLERS[0], which has the same issuer",
    ],
  ])("refuses a list of callers with the path of the issue: %s", async (_what, callers, path, sentence) => {
    expect(await issuesFor(callers)).toEqual([{ path, message: expect.stringContaining(sentence) }]);
  });

  it.each([".*", ".+", "^.*$", "(.*)", ".*?", ".{0,}", ".{1,1024}", "[^]*", "[\\s\\S]*", "[\\d\\D]+"])(
    "refuses a claim pattern that matches everything: %s",
    async (everything) => {
      expect(await issuesFor(pattern(everything))).toEqual([
        { path: "CALLERS[0].claims.role.pattern", message: expect.stringContaining("matches everything") },
      ]);
    },
  );

  it.each(["a|.*", "\\p{Any}+", "[\\w\\W]+", "[^\\n]*", ".*.*", ".+|"])(
    "refuses a claim pattern that matches everything in another way: %s",
    async (everything) => {
      expect(await issuesFor(pattern(everything))).toEqual([
        { path: "CALLERS[0].claims.role.pattern", message: expect.stringContaining("matches everything") },
      ]);
    },
  );

  it("reports every issue of every caller at once", async () => {
    const issues = await issuesFor([
      { ...script, max_duration: 0, bot_ids: [] },
      { ...web, audience: "" },
    ]);
    expect(issues.map(({ path }) => path).sort()).toEqual([
      "CALLERS[0].bot_ids",
      "CALLERS[0].max_duration",
      "CALLERS[1].audience",
    ]);
  });

  const shared = "shares no page with ALLOWED_ORIGINS: a page needs both";
  it("refuses a caller that has no origin in common with ALLOWED_ORIGINS", async () => {
    const callers = [
      { ...script, origins: ["https://app.example.com"] },
      { ...web, origins: ["https://www.example.org", "https://*.example.org"] },
      { ...visitors, origins: ["https://app.example.com:8443"] },
    ];
    expect(await issuesFor(callers, { ALLOWED_ORIGINS: "https://*.example.com", TOKEN_DURATION: 0 })).toEqual([
      { path: "TOKEN_DURATION", message: expect.any(String) },
      { path: "CALLERS[1].origins", message: shared },
      { path: "CALLERS[2].origins", message: shared },
    ]);
  });

  it("does not compare a caller's origins with ALLOWED_ORIGINS while either is wrong by itself", async () => {
    const callers = [{ ...script, origins: ["https://app.example.com"] }];
    expect((await issuesFor(callers, { ALLOWED_ORIGINS: "example.org" })).map(({ path }) => path)).toEqual([
      "ALLOWED_ORIGINS",
    ]);
    expect(
      (await issuesFor([{ ...script, origins: ["x"] }], { ALLOWED_ORIGINS: "https://a.example" })).map(
        ({ message }) => message,
      ),
    ).toEqual([expect.stringContaining("must be *")]);
  });

  it("reports issues of callers together with those of other settings", async () => {
    const issues = await issuesFor([{ ...visitors, turnstile_action: "a", user_id: "x" }], { TOKEN_DURATION: 0 });
    expect(issues.map(({ path }) => path).sort()).toEqual([
      "CALLERS[0].turnstile_action",
      "CALLERS[0].user_id",
      "TOKEN_DURATION",
    ]);
  });

  it("refuses a caller of three kinds at once, and properties that then belong to none", async () => {
    expect((await issuesFor([{ ...script, ...web, ...visitors }])).map(({ message }) => message)).toEqual([
      "cannot have key_sha256 and issuer and anonymous at once",
      "belongs to a caller with issuer",
    ]);
  });

  it("never shows the value of a caller's property in an issue", async () => {
    const secret = "hunter2";
    const issues = [
      await issuesFor(secret),
      await issuesFor([secret]),
      await issuesFor([{ name: `${secret} `, key_sha256: secret }]),
      await issuesFor([{ ...web, issuer: `http://${secret}.example` }]),
      await issuesFor([{ ...web, issuer: `https://${secret}@a.example`, jwks_uri: secret }]),
      await issuesFor([{ ...web, claims: { role: { pattern: `(${secret}` } }, origins: [secret] }]),
      await issuesFor([{ ...web, claims: { role: [secret] }, audience: [secret], user_id: [secret] }]),
      await issuesFor([{ ...script, bot_ids: secret, permissions: [[secret]], max_duration: secret }]),
      await issuesFor([{ ...visitors, anonymous: secret, turnstile: secret }]),
      await issuesFor([visitors], { TURNSTILE_SECRET_KEY: secret }),
      await issuesFor([script], { TURNSTILE_SECRET_KEY: { secret } }),
    ];
    expect(JSON.stringify(issues)).not.toContain(secret);
  });
});
