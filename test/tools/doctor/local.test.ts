import { execFileSync } from "node:child_process";
import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { appendFileSync, chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { checkLocal } from "../../../tools/doctor/local.ts";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import { SHIPPED_TOML } from "../../support/shipped-toml.ts";
import { createFolder, KID, keyPair, TOML, VARS, varsFile } from "./folder.ts";

const KEY_DIGEST = "ab".repeat(32);
const SCRIPT = { name: "script", key_sha256: KEY_DIGEST };
const otherKeyPair = createKeyPair();
const SCOPE = JSON.stringify({ account_permission: { permission_list: ["Connector.botManage"] } });
const WEB_USERS = { name: "web-users", issuer: "https://login.example.com", audience: "app" };
const CALLERS = `\n[[vars.CALLERS]]\nname = "script"\nkey_sha256 = "${KEY_DIGEST}"\n`;

/** What doctor finds wrong in a folder with these files changed, by name. */
async function failures(files: Readonly<Record<string, string>>, env?: string) {
  return (await findings(files, env)).filter(({ ok }) => !ok);
}

async function findings(files: Readonly<Record<string, string>>, env?: string) {
  return (await checkLocal(createFolder(files), env, "local")).findings;
}

async function wrongIn(folder: string) {
  return (await checkLocal(folder, undefined, "local")).findings.filter(({ ok }) => !ok);
}

const withVars = (settings: Readonly<Record<string, string>>) => ({ ".dev.vars": VARS + varsFile(settings) });
const withToml = (settings: Readonly<Record<string, string>>) => {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  return { "wrangler.toml": `${TOML}[vars]\n${lines.join("")}` };
};
const withCallers = (...callers: readonly object[]) => withToml({ CALLERS: JSON.stringify(callers) });

type Broken = [what: string, pem: string, detail: RegExp];

/** The private key with one character of its base64 changed: in its modulus, its exponent, its primes or further on. */
function bent(at: number): string {
  const { privateKey } = keyPair;
  const index = privateKey.indexOf("\n") + at;
  const other = privateKey[index] === "B" ? "C" : "B";
  return privateKey.slice(0, index) + other + privateKey.slice(index + 1);
}

describe("npm run doctor on this machine", () => {
  it("finds nothing wrong where all is right", async () => {
    expect(await failures({})).toEqual([]);
  });

  it("shows the digest of the public key beside KID, and neither the private key nor the digest of a caller's key", async () => {
    const found = await findings(withCallers(SCRIPT));
    const spki = createPublicKey(keyPair.publicKey).export({ type: "spki", format: "der" });
    const key = found.find(({ name }) => name === "PRIVATE_KEY");
    expect(key?.detail).toContain("2048 bits");
    expect(key?.detail).toContain(`\n${createHash("sha256").update(spki).digest("base64url")}\n${KID}`);
    expect(JSON.stringify(found)).not.toMatch(new RegExp(`BEGIN|MII|${KEY_DIGEST}`));
  });

  it.each([
    ["CLIENT_ID", { ".dev.vars": varsFile({ KID, PRIVATE_KEY: keyPair.privateKey }) }, /required/],
    ["TOKEN_DURATION", withVars({ TOKEN_DURATION: "0" }), /whole number/],
    ["TOKEN_DURATON", withVars({ TOKEN_DURATON: "60" }), /did you mean TOKEN_DURATION/],
    ["AUDIENCE", withVars({ AUDIENCE: "api.coze.com" }), /region/],
    ["CALLERS", withToml({ CALLERS: "" }), /blank/],
    ["PRIVATE_KEY in wrangler.toml", withToml({ PRIVATE_KEY: keyPair.privateKey }), /not secret/],
    [
      "TURNSTILE_SECRET_KEY in wrangler.toml",
      { "wrangler.toml": `${TOML}[env.a.vars]\nTURNSTILE_SECRET_KEY = "x"\n` },
      /\[env\.a\.vars\]/,
    ],
    ["CALLERS of .dev.vars", withVars({ CALLERS: JSON.stringify([SCRIPT]) }), /the deployed service is open/],
    ["TOKEN_SCOPE of .dev.vars", withVars({ TOKEN_SCOPE: SCOPE }), /every permission/],
    ["ALLOWED_ORIGINS of .dev.vars", withVars({ ALLOWED_ORIGINS: "https://a.example" }), /serves all pages/],
    [
      "CALLERS[0].limiter",
      withCallers({ name: "a", key_sha256: KEY_DIGEST, limiter: "NONE" }),
      /no rate-limit binding/,
    ],
    [".gitignore", { ".gitignore": ".dev.vars\n" }, /does not cover \.dev\.vars\.\*:/],
  ])("finds %s wrong by its name", async (name, files, detail) => {
    const found = await failures(files);
    expect(found).toEqual([expect.objectContaining({ name, detail: expect.stringMatching(detail) })]);
    expect(found[0]?.hint).not.toBe("");
  });

  it.each<Broken>([
    ["a short key", createKeyPair(1024).privateKey, /shorter than 2048 bits/],
    ["a public key", keyPair.publicKey, /is a public key/],
    ...[200, 800, 1600].map((at): Broken => [`a key with another character at ${at}`, bent(at), /is damaged/]),
    [
      "an EC key",
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      /not an RSA key/,
    ],
  ])("finds %s in PRIVATE_KEY, beside other issues", async (_what, pem, detail) => {
    const found = await failures({ ".dev.vars": varsFile({ KID, PRIVATE_KEY: pem }) });
    expect(found.map(({ name }) => name)).toEqual(["CLIENT_ID", "PRIVATE_KEY"]);
    expect(found[1]?.detail).toMatch(detail);
  });

  it("finds a previous key that is wrong", async () => {
    const found = await failures(withVars({ PREVIOUS_KID: KID, PREVIOUS_PRIVATE_KEY: "MII" }));
    expect(found.map(({ name }) => name)).toContain("PREVIOUS_PRIVATE_KEY");
  });

  it.each([
    ["PRIVATE_KEY", { CLIENT_ID: "1", KID: "short", PRIVATE_KEY: keyPair.privateKey }],
    [
      "PREVIOUS_PRIVATE_KEY",
      {
        CLIENT_ID: "1",
        KID,
        PRIVATE_KEY: keyPair.privateKey,
        PREVIOUS_KID: "short",
        PREVIOUS_PRIVATE_KEY: otherKeyPair.privateKey,
      },
    ],
  ])("advises about a fingerprint beside %s that does not have the form of Coze's", async (name, settings) => {
    const found = await findings({ ".dev.vars": varsFile(settings) });
    expect(found.find((finding) => finding.name === name)).toMatchObject({
      ok: true,
      hint: expect.stringMatching(/KID has 5/),
    });
  });

  it("says that a service without callers is open, and what each caller may have", async () => {
    const access = (found: Awaited<ReturnType<typeof findings>>) => found.find(({ name }) => name === "access");
    expect(access(await findings({}))).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/^open/),
      hint: expect.stringMatching(/--access/),
    });

    const rights = { permissions: ["Connector.botChat"], bot_ids: ["7379"], max_duration: 60 };
    const closed = await findings(withCallers({ ...SCRIPT, ...rights }));
    expect(access(closed)?.detail).toMatch(/^closed/);
    const caller = closed.find(({ name }) => name === "caller script");
    expect(caller?.detail).toBe("an API key; Connector.botChat; bots 7379; up to 60 s");
  });

  it("finds a caller that an earlier one shadows", async () => {
    const broad = { ...WEB_USERS, name: "all", claims: { role: { pattern: "staff|admin" } } };
    const narrow = { ...WEB_USERS, name: "admins", claims: { role: "admin", org: "1" } };
    const [shadowed, ...others] = await failures(withCallers(broad, narrow));
    expect(shadowed).toMatchObject({
      name: "caller admins",
      detail: expect.stringMatching(/never matches: all comes first/),
    });
    expect(others).toEqual([]);
    expect(await failures(withCallers(narrow, broad))).toEqual([]);
  });

  it("finds a caller to whom TOKEN_SCOPE leaves nothing", async () => {
    const caller = { ...SCRIPT, permissions: ["Connector.botChat"] };
    expect(await failures(withToml({ TOKEN_SCOPE: SCOPE, CALLERS: JSON.stringify([caller]) }))).toMatchObject([
      { name: "caller script", detail: expect.stringMatching(/nothing/) },
    ]);
  });

  it("finds the environment whose deployment would take the custom domain of the top level", async () => {
    const routes = 'routes = [{ pattern = "token.example.com", custom_domain = true }]\n';
    const toml = `${routes}${TOML}[env.staging]\n[env.production]\nroutes = []\n`;
    expect(await failures({ "wrangler.toml": toml })).toMatchObject([{ name: "domain of staging" }]);
  });

  it.each([
    ["a route", 'route = "token.example.com/*"\n', "", "token.example.com/*"],
    [
      "one of several domains",
      'routes = [{ pattern = "token.example.com", custom_domain = true }]\n',
      'routes = [{ pattern = "stg.example.com", custom_domain = true }, { pattern = "token.example.com", custom_domain = true }]\n',
      "token.example.com",
    ],
  ])("finds the environment whose deployment would take %s of the top level", async (_what, top, own, taken) => {
    const found = await failures({ "wrangler.toml": `${top}${TOML}[env.staging]\n${own}` });
    expect(found).toMatchObject([
      { name: "domain of staging", detail: expect.stringContaining(`has ${taken} of the top level`) },
    ]);
    const none = await failures({ "wrangler.toml": `${top}${TOML}[env.staging]\nroutes = []\n` });
    expect(none).toEqual([]);
  });

  it("checks the top level without --env, whatever CLOUDFLARE_ENV says", async () => {
    vi.stubEnv("CLOUDFLARE_ENV", "production");
    onTestFinished(() => void vi.unstubAllEnvs());
    const toml = `${TOML}[env.production]\n[[env.production.vars.CALLERS]]\nname = "x"\nkey_sha256 = "${KEY_DIGEST}"\n`;
    const access = (await findings({ "wrangler.toml": toml })).find(({ name }) => name === "access");
    expect(access?.detail).toMatch(/^open/);
  });

  it("notes the bindings that are missing, and what each costs", async () => {
    const bindings = (await findings({})).find(({ name }) => name === "bindings");
    expect(bindings).toMatchObject({ ok: true, detail: expect.stringMatching(/no TOKEN_CACHE.*no RATE_LIMITER/) });
    const complete = await findings({ "wrangler.toml": SHIPPED_TOML });
    expect(complete.map(({ name }) => name)).not.toContain("bindings");
  });

  it.each([
    ["https://api.coze.com", false],
    ["https://www.coze.cn/api/permission/oauth2/token", false],
    ["https://api.coze.cn/api/permission/oauth2/enterprise_id/7/token", true],
    ["http://127.0.0.1:4000/api/permission/oauth2/token", true],
  ])("refuses a URL at Coze's hosts that is no token endpoint, and accepts others: %s", async (TOKEN_ENDPOINT, ok) => {
    const found = await findings(
      withVars({
        TOKEN_ENDPOINT,
        ...(ok ? {} : { AUDIENCE: `api.coze.${TOKEN_ENDPOINT.includes("cn") ? "cn" : "com"}` }),
      }),
    );
    expect(found.find(({ name }) => name === "region")).toMatchObject({ ok });
  });

  it("finds the environments that lack the callers of the top level", async () => {
    const environments = `\n[env.staging]\n[[env.production.vars.CALLERS]]\nname = "x"\nkey_sha256 = "${KEY_DIGEST}"\n`;
    const toml = { "wrangler.toml": TOML + CALLERS + environments };
    expect(await failures(toml)).toMatchObject([
      { name: "environment staging", detail: expect.stringMatching(/open/) },
    ]);
    expect(await failures(toml, "staging")).toMatchObject([{ name: "environment staging" }]);
    expect(await failures(toml, "production")).toEqual([]);
    expect(await failures({ "wrangler.toml": TOML + environments })).toEqual([]);
  });

  it("notes a token endpoint that is not at Coze, and one that a deployment cannot reach", async () => {
    const TOKEN_ENDPOINT = "http://127.0.0.1:4000/api/permission/oauth2/token";
    const folder = createFolder(withToml({ TOKEN_ENDPOINT }));
    for (const [view, hint] of [
      ["local", /is not at Coze/],
      ["deployed", /Cloudflare cannot reach it/],
    ] as const) {
      const { findings } = await checkLocal(folder, undefined, view);
      expect(findings.find(({ name }) => name === "region")).toMatchObject({
        ok: true,
        hint: expect.stringMatching(hint),
      });
    }
  });

  it("notes the secrets that the deployed Worker must have, and not those that the Secrets Store has", async () => {
    const store = 'secrets_store_secrets = [{ binding = "PRIVATE_KEY", store_id = "1", secret_name = "key" }]\n';
    const folder = createFolder({
      "wrangler.toml": store + TOML,
      ".dev.vars": varsFile({ CLIENT_ID: "1127", KID }),
    });
    for (const [view, hint] of [
      ["local", /^$/],
      ["deployed", /secrets: CLIENT_ID, KID\. Or run npm run setup first\.$/],
    ] as const) {
      const { findings } = await checkLocal(folder, undefined, view);
      expect(findings.find(({ name }) => name === "settings")).toMatchObject({
        ok: true,
        detail: expect.stringMatching(/; in the Secrets Store: PRIVATE_KEY$/),
        hint: expect.stringMatching(hint),
      });
    }
  });

  it.each([
    [".dev.vars", undefined],
    [".dev.vars.staging", "staging"],
  ])("finds a %s that others on the machine can read", async (name, env) => {
    const folder = createFolder({ "wrangler.toml": `${TOML}[env.staging]\n`, ".dev.vars.staging": VARS });
    chmodSync(join(folder, name), 0o644);
    const found = (await checkLocal(folder, env, "local")).findings.filter(({ ok }) => !ok);
    expect(found).toMatchObject([{ name, detail: expect.stringMatching(/644/), hint: `chmod 600 ${name}` }]);
  });

  it("names the settings that only this machine has", async () => {
    const found = await findings({ "wrangler.toml": `${TOML}\n[vars]\nCLIENT_ID = "1127"\n` });
    expect(found.find(({ name }) => name === "only on this machine")?.detail).toBe("KID, PRIVATE_KEY");
  });

  const KEY_CALLER = JSON.stringify([SCRIPT]);
  const ANONYMOUS_TOO = JSON.stringify([{ name: "web", anonymous: true }, SCRIPT]);

  it.each([
    ["CALLERS", ANONYMOUS_TOO, KEY_CALLER],
    ["ALLOWED_ORIGINS", "", "https://app.example.com"],
    ["ALLOWED_ORIGINS", "*", "https://app.example.com,http://localhost:3000"],
    ["TOKEN_SCOPE", "", SCOPE],
  ])("finds %s less strict in wrangler.toml than on this machine: %j", async (name, deployed, local) => {
    const found = await failures({ ...withToml({ [name]: deployed }), ...withVars({ [name]: local }) });
    expect(found).toMatchObject([{ name: `${name} of .dev.vars`, hint: expect.stringMatching(/--allow-open$/) }]);
  });

  it.each([
    ["CALLERS", ANONYMOUS_TOO],
    ["ALLOWED_ORIGINS", "*"],
    ["ALLOWED_ORIGINS", "http://localhost:3000,http://127.0.0.1:8787"],
  ])("finds nothing wrong in %s that limits nothing, or only local work: %j", async (name, local) => {
    expect(await failures(withVars({ [name]: local }))).toEqual([]);
  });

  it("names no variables of an .env file but settings, and not another file than they are in", async () => {
    const text = `${VARS}CLOUDFLARE_API_TOKEN=secret\nCALLERS='${KEY_CALLER}'\n`;
    const folder = createFolder({ ".env": text });
    rmSync(join(folder, ".dev.vars"));
    const { findings } = await checkLocal(folder, undefined, "local");
    expect(findings.find(({ name }) => name === "only on this machine")?.detail).toBe("CLIENT_ID, KID, PRIVATE_KEY");
    expect(findings.filter(({ ok }) => !ok)).toMatchObject([{ name: "CALLERS on this machine" }]);
  });

  it("finds another wrangler than that of package.json, and a Node.js that it does not run on", async () => {
    const files = { "package.json": '{"type":"module","devDependencies":{"wrangler":"4.1.0"}}' };
    expect(await failures(files)).toMatchObject([{ name: "wrangler", hint: "Run npm ci." }]);

    const { version } = process;
    Object.defineProperty(process, "version", { value: "v20.19.0" });
    onTestFinished(() => void Object.defineProperty(process, "version", { value: version }));
    expect(await failures({})).toMatchObject([{ name: "Node.js", hint: expect.stringMatching(/npm ci/) }]);
  });

  it("accepts one pattern for all vars files", async () => {
    expect(await failures({ ".gitignore": "/.dev.vars*\n" })).toEqual([]);
  });

  it.each([
    [".dev.vars", ".dev.vars*\n!.dev.vars\n"],
    [".dev.vars.*", ".dev.vars\n.dev.vars.*\n!/.dev.vars.production\n"],
  ])("finds that a later line of .gitignore undoes the one that covers %s", async (pattern, text) => {
    const detail = expect.stringContaining(`does not cover ${pattern}:`);
    expect(await failures({ ".gitignore": text })).toMatchObject([{ name: ".gitignore", detail }]);
    const again = `${text}.dev.vars*\n!.dev.vars.example\n`;
    expect(await failures({ ".gitignore": again })).toEqual([]);
  });

  it("finds a missing .gitignore", async () => {
    const folder = createFolder();
    rmSync(join(folder, ".gitignore"));
    expect(await wrongIn(folder)).toMatchObject([{ name: ".gitignore" }]);
  });

  it("believes git rather than the text of .gitignore", async () => {
    const folder = createFolder({ ".gitignore": ".dev.vars*\n!.dev.vars.example\n", ".dev.vars.example": "" });
    const git = (...args: readonly string[]) => execFileSync("git", args, { cwd: folder });
    git("init", "--quiet");
    git("add", ".dev.vars.example");
    appendFileSync(join(folder, "wrangler.toml"), '[env."测试"]\n');
    expect(await wrongIn(folder)).toEqual([]);
    appendFileSync(join(folder, ".gitignore"), "!.dev.vars\n");
    expect(await wrongIn(folder)).toMatchObject([
      { name: ".gitignore", detail: expect.stringMatching(/\.dev\.vars:/) },
    ]);
    git("add", "--force", ".dev.vars");
    writeFileSync(join(folder, ".gitignore"), ".dev.vars*\n");
    expect(await wrongIn(folder)).toMatchObject([
      { name: ".dev.vars in git", hint: expect.stringMatching(/^git rm --cached \.dev\.vars, and replace the key/) },
    ]);
  });

  it("says what is wrong with a wrangler.toml that wrangler cannot read", async () => {
    await expect(failures({ "wrangler.toml": "name = " })).rejects.toThrow(/wrangler cannot read wrangler.toml/);
    await expect(failures({}, "nowhere")).rejects.toThrow(/nowhere/);
  });
});
