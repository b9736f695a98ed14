import { describe, expect, it } from "vitest";
import { type Config, parseConfig } from "../../../src/config/config.ts";
import { ANYONE } from "../../../src/core/auth/caller.ts";
import { type Issue, invalid } from "../../../src/core/issue.ts";
import { parsedValue } from "../../support/parsed-value.ts";

const required = { CLIENT_ID: "1127", KID: "kid", PRIVATE_KEY: "key" };

const namespace = { put: async () => undefined } as unknown as KVNamespace; // as much as tells it from a variable

async function configOf(env: object): Promise<Config> {
  return parsedValue(await parseConfig({ ...required, ...env }));
}

async function issuesFor(env: object): Promise<readonly Issue[]> {
  const parsed = await parseConfig(env);
  if ("value" in parsed) throw new Error("The settings were accepted.");
  return parsed.issues;
}

describe("the settings", () => {
  it("requires no setting but CLIENT_ID, PRIVATE_KEY and KID", async () => {
    expect(await configOf({})).toEqual({
      clientId: "1127",
      kid: "kid",
      privateKey: "key",
      previousKey: undefined,
      audience: "api.coze.cn",
      tokenEndpoint: "https://api.coze.cn/api/permission/oauth2/token",
      tokenDurationSeconds: 900,
      assertionDurationSeconds: 3600,
      tokenScope: undefined,
      allowedOrigins: "*",
      upstreamTimeoutMs: 5000,
      tokenCache: undefined,
      callers: [ANYONE],
      turnstileSecretKey: undefined,
      turnstileEndpoint: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
      rateLimiter: undefined,
      exchangeLimiter: undefined,
      callerLimiters: new Map(),
      metrics: undefined,
      serverTiming: false,
    });
  });

  const scope = { account_permission: { permission_list: ["Connector.botChat"] } };
  const world = "https://api.coze.com/api/permission/oauth2/token";

  it.each<[string, object, Partial<Config>]>([
    ["strings with blanks around them", { CLIENT_ID: " 1127\n", KID: "\tkid " }, { clientId: "1127", kid: "kid" }],
    ["an id as a TOML number", { CLIENT_ID: 1127 }, { clientId: "1127" }],
    [
      "blank strings, as if absent",
      { AUDIENCE: " ", TOKEN_DURATION: "", TOKEN_SCOPE: "" },
      { audience: "api.coze.cn" },
    ],
    ["numbers as numbers", { TOKEN_DURATION: 86_399, ASSERTION_DURATION: 1 }, { tokenDurationSeconds: 86_399 }],
    ["numbers as strings", { TOKEN_DURATION: " 60 ", UPSTREAM_TIMEOUT_MS: "10000" }, { upstreamTimeoutMs: 10_000 }],
    ["the assertion's life", { ASSERTION_DURATION: "600" }, { assertionDurationSeconds: 600 }],
    ["a scope as a TOML table", { TOKEN_SCOPE: scope }, { tokenScope: scope }],
    ["a scope as JSON", { TOKEN_SCOPE: JSON.stringify(scope) }, { tokenScope: scope }],
    ["the audience of the endpoint's region", { TOKEN_ENDPOINT: world }, { audience: "api.coze.com" }],
    ["an audience given", { TOKEN_ENDPOINT: world, AUDIENCE: "api.coze.com" }, { audience: "api.coze.com" }],
    ["an audience of its own for a proxy", { TOKEN_ENDPOINT: "https://proxy.example/t" }, { audience: "api.coze.cn" }],
    ["the other region behind a proxy", { TOKEN_ENDPOINT: "https://proxy.example/t", AUDIENCE: "api.coze.com" }, {}],
    ["an audience with a port", { TOKEN_ENDPOINT: "https://proxy.example/t", AUDIENCE: "coze.test:8443" }, {}],
    ["plain http on loopback", { TOKEN_ENDPOINT: "http://127.0.0.1:9/t" }, { tokenEndpoint: "http://127.0.0.1:9/t" }],
    ["origins", { ALLOWED_ORIGINS: "https://a.example" }, { allowedOrigins: [{ origin: "https://a.example" }] }],
    ["all origins", { ALLOWED_ORIGINS: " * " }, { allowedOrigins: "*" }],
    ["a KV namespace", { TOKEN_CACHE: namespace }, { tokenCache: namespace }],
    [
      "a previous key",
      { PREVIOUS_KID: " old ", PREVIOUS_PRIVATE_KEY: "old key" },
      { previousKey: { kid: "old", privateKey: "old key" } },
    ],
    ["a boolean as a string", { SERVER_TIMING: "true" }, { serverTiming: true }],
    ["a boolean that is false", { SERVER_TIMING: "false" }, { serverTiming: false }],
    ["a boolean as TOML", { SERVER_TIMING: true }, { serverTiming: true }],
    ["bindings and variables of others", { OTHER: 1, PAGES: {} }, {}],
  ])("accepts in the settings %s", async (_what, given, expected) => {
    expect(await configOf(given)).toMatchObject(expected);
  });

  const duration = "must be a whole number from 1 to 86399";
  it.each<[string, object, string, string]>([
    ["no CLIENT_ID", { CLIENT_ID: undefined }, "CLIENT_ID", "is required"],
    ["a blank CLIENT_ID", { CLIENT_ID: "  " }, "CLIENT_ID", "is required"],
    ["an id too large to be exact", { CLIENT_ID: 2 ** 60 }, "CLIENT_ID", "must be the id of the OAuth app, in quotes"],
    ["a KID that is not a string", { KID: 12 }, "KID", "must be the fingerprint"],
    ["a PRIVATE_KEY that is not a string", { PRIVATE_KEY: {} }, "PRIVATE_KEY", "must be the private key as a string"],
    ["a CONSOLE that is neither on nor off", { CONSOLE: "no" }, "CONSOLE", "must be on or off"],
    ["ASSETS that are a variable", { ASSETS: "dist" }, "ASSETS", "must be the binding of the static assets"],
    ["an unreadable secret", { PRIVATE_KEY: invalid("is away") }, "PRIVATE_KEY", "is away"],
    ["an audience with a scheme", { AUDIENCE: "https://api.coze.cn" }, "AUDIENCE", "must be a host name"],
    [
      "the audience of the other region",
      { AUDIENCE: "api.coze.com" },
      "AUDIENCE",
      "must be the host of TOKEN_ENDPOINT",
    ],
    ["the endpoint of the other region", { TOKEN_ENDPOINT: world, AUDIENCE: "api.coze.cn" }, "AUDIENCE", "must be the"],
    ["an endpoint without a scheme", { TOKEN_ENDPOINT: "api.coze.cn" }, "TOKEN_ENDPOINT", "must be a complete URL"],
    ["plain http", { TOKEN_ENDPOINT: "http://api.coze.cn/t" }, "TOKEN_ENDPOINT", "must begin with https://"],
    ["plain http on a look-alike", { TOKEN_ENDPOINT: "http://127.0.0.1.evil.example/" }, "TOKEN_ENDPOINT", "https://"],
    ["a duration of 0", { TOKEN_DURATION: 0 }, "TOKEN_DURATION", duration],
    ["a duration over a day", { TOKEN_DURATION: "86400" }, "TOKEN_DURATION", duration],
    ["a negative duration", { TOKEN_DURATION: "-1" }, "TOKEN_DURATION", duration],
    ["a fraction", { TOKEN_DURATION: 1.5 }, "TOKEN_DURATION", duration],
    ["a number with a unit", { TOKEN_DURATION: "900s" }, "TOKEN_DURATION", duration],
    ["another notation", { TOKEN_DURATION: "1e2" }, "TOKEN_DURATION", duration],
    ["a boolean", { ASSERTION_DURATION: true }, "ASSERTION_DURATION", duration],
    [
      "an endless timeout",
      { UPSTREAM_TIMEOUT_MS: 10_001 },
      "UPSTREAM_TIMEOUT_MS",
      "must be a whole number from 1 to 10000",
    ],
    ["a scope that is not JSON", { TOKEN_SCOPE: "{" }, "TOKEN_SCOPE", "must be an object"],
    [
      "a scope that only constrains",
      { TOKEN_SCOPE: { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1"] } } } },
      "TOKEN_SCOPE",
      "must name permissions too",
    ],
    [
      "an unknown scope property",
      { TOKEN_SCOPE: { a: 1 } },
      "TOKEN_SCOPE",
      "a is not a property of the Coze scope object",
    ],
    [
      "two issues in a scope",
      { TOKEN_SCOPE: { a: 1, b: 1 } },
      "TOKEN_SCOPE",
      "a is not a property of the Coze scope object; b",
    ],
    ["origins that are none", { ALLOWED_ORIGINS: "example.com" }, "ALLOWED_ORIGINS", "must be * alone, or"],
    ["origins that are not a string", { ALLOWED_ORIGINS: ["*"] }, "ALLOWED_ORIGINS", "must be a string"],
    ["a previous kid that is no string", { PREVIOUS_KID: 1 }, "PREVIOUS_KID", "must be"],
    ["a previous key that is no string", { PREVIOUS_PRIVATE_KEY: 1 }, "PREVIOUS_PRIVATE_KEY", "must be"],
    ["a previous kid alone", { PREVIOUS_KID: "old" }, "PREVIOUS_KID", "belong together"],
    ["a previous key alone", { PREVIOUS_PRIVATE_KEY: "old" }, "PREVIOUS_KID", "belong together"],
    ["a boolean that is neither", { SERVER_TIMING: "on" }, "SERVER_TIMING", "must be true or false"],
    ["a variable instead of a rate limiter", { RATE_LIMITER: "on" }, "RATE_LIMITER", "must be the binding of a rate"],
    ["a variable instead of a dataset", { METRICS: "on" }, "METRICS", "must be the binding of an Analytics Engine"],
    ["a secret for nobody", { TURNSTILE_SECRET_KEY: "x" }, "TURNSTILE_SECRET_KEY", "has no effect"],
    ["a plain http siteverify", { TURNSTILE_ENDPOINT: "http://a.example/" }, "TURNSTILE_ENDPOINT", "https://"],
    ["a variable instead of KV", { TOKEN_CACHE: "on" }, "TOKEN_CACHE", "must be the binding of a KV namespace"],
    ["an object that is no KV", { TOKEN_CACHE: {} }, "TOKEN_CACHE", "must be the binding of a KV namespace"],
    ["null instead of KV", { TOKEN_CACHE: null }, "TOKEN_CACHE", "must be the binding of a KV namespace"],
  ])("refuses in the settings %s", async (_what, given, setting, sentence) => {
    expect(await issuesFor({ ...required, ...given })).toEqual([
      { path: setting, message: expect.stringContaining(sentence) },
    ]);
  });

  it("reports every issue of the settings together, by name and without values", async () => {
    const secrets = {
      TOKEN_ENDPOINT: "https://hunter2:hunter2@proxy.example/",
      TOKEN_DURATION: "hunter2",
      TOKEN_SCOPE: '"hunter2"',
      ALLOWED_ORIGINS: "hunter2",
      AUDIENCE: "hunter2/",
    };
    const issues = await issuesFor(secrets);
    expect(issues.map(({ path }) => path).sort()).toEqual(
      ["CLIENT_ID", "KID", "PRIVATE_KEY", ...Object.keys(secrets)].sort(),
    );
    expect(JSON.stringify(issues)).not.toContain("hunter2");
  });

  it("reports a wrong region together with other issues of the settings", async () => {
    const issues = await issuesFor({ AUDIENCE: "api.coze.com" });
    expect(issues.map(({ path }) => path).sort()).toEqual(["AUDIENCE", "CLIENT_ID", "KID", "PRIVATE_KEY"]);
  });
});
