import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DeployOptions, deploy } from "../../../tools/deploy/deploy.ts";
import type { WranglerRun } from "../../../tools/deploy/run-wrangler.ts";
import { createFolder, KID, keyPair, TOML } from "../doctor/folder.ts";
import { type ExampleService, startService } from "../examples/service.ts";

const CALLER = `name = "script"\nkey_sha256 = "${"ab".repeat(32)}"\n`;
const DONE = { code: 0, output: "", targets: [] };

let service: ExampleService;

beforeAll(async () => {
  service = await startService();
});

afterAll(() => service[Symbol.asyncDispose]());

/** Deploys a folder with a wrangler that ends like this, and notes how it was called. */
async function run(
  files: Readonly<Record<string, string>>,
  options: Partial<DeployOptions> = {},
  ends: { readonly build?: Partial<WranglerRun>; readonly upload?: Partial<WranglerRun> } = {},
) {
  const calls: string[] = [];
  const said: string[] = [];
  const root = options.root ?? createFolder(files);
  const code = await deploy(
    { root, env: undefined, dryRun: false, allowOpen: false, wranglerArguments: [], ...options },
    {
      async runWrangler(args) {
        calls.push(args.join(" "));
        return { ...DONE, ...(args.includes("--dry-run") ? ends.build : ends.upload) };
      },
      say: (text) => said.push(text),
      width: 120,
      pauseMs: 10,
    },
  );
  return { code, calls, output: said.join("\n") };
}

describe("npm run deploy", () => {
  it("checks, builds, deploys with the arguments for wrangler, and checks the address that wrangler names", async () => {
    const targets = [service.tokenUrl];
    const { code, calls, output } = await run({}, { wranglerArguments: ["--keep-vars"] }, { upload: { targets } });
    expect(calls).toEqual(["deploy --env= --keep-vars --dry-run", "deploy --env= --keep-vars"]);
    expect(output).toMatch(/│ ok {3}│ health/);
    expect(output).toMatch(/│ note │ access/);
    expect(code).toBe(0);
  });

  it("deploys an environment by its name", async () => {
    const { code, calls } = await run({ "wrangler.toml": `${TOML}[env.production]\n` }, { env: "production" });
    expect(calls.at(-1)).toBe("deploy --env=production");
    expect(code).toBe(0);
  });

  it("needs no secrets here, but refuses settings that are wrong", async () => {
    expect((await run({ ".dev.vars": "" })).code).toBe(0);
    const { code, calls, output } = await run({ "wrangler.toml": `${TOML}[vars]\nTOKEN_DURATION = 0\n` });
    expect(output).toMatch(/FAIL │ TOKEN_DURATION/);
    expect(calls).toEqual([]);
    expect(code).toBe(1);
  });

  it("refuses to open what the top level closes, unless told to", async () => {
    const toml = `${TOML}[[vars.CALLERS]]\n${CALLER}[env.production]\n[[env.staging.vars.CALLERS]]\n${CALLER}`;
    const files = { "wrangler.toml": toml };
    const refused = await run(files, { env: "production" });
    expect(refused).toMatchObject({ code: 1, calls: [] });
    expect(refused.output).toMatch(/FAIL │ environment production/);
    expect((await run(files, { env: "staging" })).code).toBe(0);
    expect((await run(files)).code).toBe(0);
    expect((await run(files, { env: "production", allowOpen: true })).code).toBe(0);
  });

  it("leaves out other limits of .dev.vars only when told to", async () => {
    const limited = { ".dev.vars": "ALLOWED_ORIGINS=https://app.example.com\n" };
    expect(await run(limited)).toMatchObject({ code: 1, calls: [] });
    expect((await run(limited, { allowOpen: true })).code).toBe(0);
  });

  it("refuses to open what .dev.vars closes, unless told to, and to deploy a secret as a variable", async () => {
    const callers = { ".dev.vars": `CALLERS='[{"name":"script","key_sha256":"${"ab".repeat(32)}"}]'\n` };
    const refused = await run(callers);
    expect(refused).toMatchObject({ code: 1, calls: [], output: expect.stringMatching(/FAIL │ CALLERS of/) });
    expect((await run(callers, { allowOpen: true })).code).toBe(0);
    const key = await run({ "wrangler.toml": `${TOML}[vars]\nPRIVATE_KEY = ${JSON.stringify(keyPair.privateKey)}\n` });
    expect(key).toMatchObject({ code: 1, calls: [], output: expect.stringMatching(/FAIL │ PRIVATE_KEY in/) });
  });

  it("checks the private key of a secrets file before it is sent", async () => {
    const folder = createFolder({ "keys.json": JSON.stringify({ KID, PRIVATE_KEY: keyPair.publicKey }) });
    const options = { root: folder, wranglerArguments: ["--secrets-file", join(folder, "keys.json")] };
    expect((await run({}, options)).output).toMatch(/FAIL │ PRIVATE_KEY .*is a public key/s);
    writeFileSync(join(folder, "keys.json"), JSON.stringify({ KID, PRIVATE_KEY: keyPair.privateKey }));
    expect((await run({}, options)).code).toBe(0);
    await expect(run({}, { wranglerArguments: ["--secrets-file=no=where.json"] })).rejects.toThrow(
      /no=where.json cannot be read/,
    );
  });

  it.each([
    "production",
    "--config=other.toml",
    "-c",
    "-c./x.toml",
    "--var",
    "--secretsFile=x",
    "--name",
    "--dryRun",
    "--dry-run=true",
  ])("refuses an argument with which wrangler would not do what was checked: %s", async (argument) => {
    await expect(run({}, { wranglerArguments: [argument, "x"] })).rejects.toThrow(`takes no ${argument}`);
  });

  it("deploys nothing when the build fails, or with --dry-run", async () => {
    const failed = await run({}, {}, { build: { code: 1, output: "a syntax error" } });
    expect(failed).toMatchObject({
      code: 1,
      calls: ["deploy --env= --dry-run"],
      output: expect.stringMatching(/a syntax error/),
    });
    expect(await run({}, { dryRun: true })).toMatchObject({ code: 0, calls: ["deploy --env= --dry-run"] });
  });

  it("prints the rollback command when wrangler fails, and when the deployed service is not right", async () => {
    const upload = { code: 7 };
    const failed = await run({ "wrangler.toml": `${TOML}[env.production]\n` }, { env: "production" }, { upload });
    expect(failed).toMatchObject({
      code: 7,
      output: expect.stringMatching(/npx wrangler rollback --env=production$/),
    });

    const wrong = await run({}, { url: new URL("http://127.0.0.1:9/") });
    expect(wrong).toMatchObject({
      code: 1,
      output: expect.stringMatching(/Checking again.*FAIL │ service .*npx wrangler rollback --env=""/s),
    });
  });

  it("fails when the service is open although wrangler.toml closes it", async () => {
    const closed = { "wrangler.toml": `${TOML}[[vars.CALLERS]]\n${CALLER}` };
    const { code, output } = await run(closed, { url: new URL(service.tokenUrl) });
    expect(output).toMatch(/FAIL │ access .*npx wrangler rollback/s);
    expect(code).toBe(1);
  });

  it("checks a URL without a certificate for longer than one that responds wrongly", async () => {
    const checksOf = async (url: string) =>
      (await run({}, { url: new URL(url) })).output.split("Checking again").length;
    expect(await checksOf("https://127.0.0.1:9/")).toBe(36);
    expect(await checksOf("http://127.0.0.1:9/")).toBe(4);
    const unreachable = await run({}, { url: new URL("https://127.0.0.1:9/") });
    expect(unreachable.output).toMatch(/cannot be reached from this machine.*npx wrangler rollback/s);
  });

  it.each([
    [["https://w.me.workers.dev", "127.0.0.1:9 (custom domain)"], /127\.0\.0\.1:9/],
    [["https://127.0.0.1:9"], /service: TLS/],
    [[], /reports no URL/],
  ])("checks the custom domain, else the first address: %j", async (targets, shown) => {
    expect((await run({}, {}, { upload: { targets } })).output).toMatch(shown);
  });
});
