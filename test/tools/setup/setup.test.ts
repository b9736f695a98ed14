import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCoze } from "../../../tools/emulator/client.ts";
import { type RunningEmulator, startEmulator } from "../../../tools/emulator/server.ts";
import { Failure } from "../../../tools/lib/failure.ts";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import { readProject } from "../../../tools/lib/project.ts";
import { tryExchange } from "../../../tools/lib/try-exchange.ts";
import { readCommandLine } from "../../../tools/setup/command-line.ts";
import { EXAMPLE_NAMESPACE_IDS } from "../../../tools/setup/plan.ts";
import { type SetupOptions, setUp } from "../../../tools/setup/setup.ts";
import { SHIPPED_TOML, SHIPPED_TOML_PATH } from "../../support/shipped-toml.ts";
import { createFolder, KID, keyPair } from "../doctor/folder.ts";
import { ROOT } from "../examples/service.ts";

let emulator: RunningEmulator;
let endpoint: string;

beforeAll(async () => {
  emulator = await startEmulator();
  const coze = createCoze(emulator.url);
  endpoint = coze.tokenEndpoint;
  await coze.registerApp("1127", [KID], keyPair.publicKey);
});

afterAll(() => emulator.close());

/** Without a terminal, and without a key file to suggest. */
async function run(folder: string, ...args: readonly string[]) {
  const { options, env } = readCommandLine(args);
  const said: string[] = [];
  const ports = { prompter: undefined, say: (text: string) => said.push(text), tryExchange, keyFile: undefined };
  try {
    await setUp(readProject(folder, env), inFolder(options, folder), ports);
    return { code: 0, stdout: said.join("\n"), stderr: "" };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { code: 1, stdout: said.join("\n"), stderr: error.message };
  }
}

function inFolder(options: SetupOptions, folder: string): SetupOptions {
  return options.keyFile === undefined ? options : { ...options, keyFile: join(folder, options.keyFile) };
}

/** The whole program, without a terminal, in a home without downloads. */
async function spawnSetup(folder: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [join(ROOT, "tools/setup/main.ts"), ...args], {
    cwd: folder,
    env: { ...process.env, HOME: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { stdout, stderr, code };
}

function createClone(files: Readonly<Record<string, string>> = {}): string {
  const folder = createFolder({ "wrangler.toml": SHIPPED_TOML, "private_key.pem": keyPair.privateKey, ...files });
  if (!(".dev.vars" in files)) unlinkSync(join(folder, ".dev.vars"));
  return folder;
}

const app = (...more: readonly string[]) => [
  ...["--client-id", "1127", "--kid", KID, "--key-file", "private_key.pem", "--token-endpoint", endpoint, "--yes"],
  ...more,
];

describe("npm run setup without a terminal", () => {
  it("names the options of all missing answers, and does not wait", async () => {
    const folder = createClone();
    unlinkSync(join(folder, "private_key.pem"));
    const { stderr, code } = await spawnSetup(folder, "--kid", KID);
    expect(stderr).toBe(
      "There is no terminal to ask questions in. Missing options: --client-id, --key-file, --access, --yes\n",
    );
    expect(code).toBe(1);
  });

  it.each([
    ["--recipe, --issuer", ["--access", "issuer"]],
    ["--issuer", ["--access", "issuer", "--recipe", "firebase"]],
    ["--audience", ["--access", "issuer", "--recipe", "auth0", "--issuer", "example.eu.auth0.com"]],
  ])("names %s when only that is missing, before it sends anything", async (missing, args) => {
    const exchanges = await countExchanges();
    const { stderr, code } = await run(createClone(), ...app(...args));
    expect(stderr).toBe(`There is no terminal to ask questions in. Missing options: ${missing}`);
    expect(code).toBe(1);
    expect(await countExchanges()).toBe(exchanges);
  });

  it.each([
    ["--access key takes no --recipe.", ["--access", "key", "--recipe", "supabase"]],
    ["--access open takes no --caller.", ["--access", "open", "--caller", "x"]],
  ])("refuses options that would have no effect: %s", async (sentence, args) => {
    expect((await run(createClone(), ...app(...args))).stderr).toBe(sentence);
  });

  it.each([
    ["--client-id", ["--client-id", "my app"]],
    ["--key-file", ["--key-file", "nowhere.pem"]],
    ["--origins", ["--access", "open", "--origins", "app.example.com"]],
    ["--domain", ["--access", "open", "--domain", "https://token.example.com"]],
    ["--token-endpoint", ["--access", "open", "--token-endpoint", "http://api.coze.cn"]],
  ])("refuses a wrong %s by its name, and writes nothing", async (option, args) => {
    const folder = createClone();
    const { stderr, code } = await run(folder, ...app("--no-exchange", "--access", "open", ...args));
    expect(stderr).toMatch(new RegExp(`^${option} `));
    expect(code).toBe(1);
    expect(existsSync(join(folder, ".dev.vars"))).toBe(false);
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toBe(SHIPPED_TOML);
  });

  it("refuses a wrong option before it sends anything", async () => {
    const exchanges = await countExchanges();
    const { stderr } = await run(createClone(), ...app("--access", "open", "--origins", "app.example.com"));
    expect(stderr).toMatch(/^--origins /);
    expect(await countExchanges()).toBe(exchanges);
  });

  it("explains a refusal of Coze, and writes nothing then", async () => {
    const folder = createClone();
    const { stderr, code } = await run(folder, ...app("--access", "open", "--kid", "unknown"));
    expect(stderr).toMatch(/^upstream_rejected: Coze does not know the signing key.*\nNothing was written/);
    expect(code).toBe(1);
    expect(existsSync(join(folder, ".dev.vars"))).toBe(false);
  });

  it("writes what the options say, and prints the API key of the digest in wrangler.toml once", async () => {
    const folder = createClone();
    const { stdout, code } = await spawnSetup(folder, ...app("--access", "key", "--bot-ids", "7, 8", "--json"));
    expect(code).toBe(0);
    const { api_key, written, exchange } = JSON.parse(stdout);
    expect(written).toEqual([".dev.vars", "wrangler.toml"]);
    expect(exchange).toMatch(/has issued a token/);

    const { deployed } = readProject(folder);
    expect(deployed).toMatchObject({ CLIENT_ID: "1127", KID, TOKEN_ENDPOINT: endpoint });
    const digest = createHash("sha256").update(api_key).digest("hex");
    const rights = { permissions: ["Connector.botChat"], bot_ids: ["7", "8"] };
    expect(deployed["CALLERS"]).toEqual([{ name: "first-script", key_sha256: digest, ...rights }]);
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).not.toContain("BEGIN");
    expect(readFileSync(join(folder, ".dev.vars"), "utf8")).toMatch(
      /^PRIVATE_KEY="-----BEGIN PRIVATE KEY-----\\n.+"\n$/,
    );
  });

  it("keeps what is set when it runs again, and changes only what an option says", async () => {
    const folder = createClone();
    await run(folder, ...app("--access", "key", "--no-exchange"));
    const [toml, vars] = ["wrangler.toml", ".dev.vars"].map((name) => readFileSync(join(folder, name), "utf8"));
    const again = await run(folder, "--yes", "--no-exchange");
    expect(again.stdout).toMatch(
      /nothing, all is there already.*kept {4}wrangler.toml: CLIENT_ID.*kept {4}.dev.vars: PRIVATE_KEY/s,
    );
    expect(again.code).toBe(0);
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toBe(toml);

    const changed = await run(folder, "--yes", "--no-exchange", "--kid", `${KID.slice(1)}x`);
    expect(changed.stdout).toMatch(/changed wrangler.toml: KID/);
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toBe(toml?.replace(KID, `${KID.slice(1)}x`));
    expect(readFileSync(join(folder, ".dev.vars"), "utf8")).toBe(vars);
  });

  it("fills in the blank settings of a copied .dev.vars.example, and keeps its comments and other settings", async () => {
    const example = readFileSync(join(ROOT, ".dev.vars.example"), "utf8").replace(
      '# TOKEN_DURATION=""',
      'TOKEN_DURATION="60"',
    );
    const folder = createClone({ ".dev.vars": example });
    expect((await run(folder, ...app("--access", "open", "--no-exchange"))).code).toBe(0);
    const { local } = readProject(folder);
    expect(local).toMatchObject({ CLIENT_ID: "1127", KID, TOKEN_ENDPOINT: endpoint, TOKEN_DURATION: "60" });
    expect(String(local["PRIVATE_KEY"]).trim()).toBe(keyPair.privateKey.trim());
    const comments = (text: string) => text.split("\n").filter((line) => line.startsWith("#"));
    expect(comments(readFileSync(join(folder, ".dev.vars"), "utf8"))).toEqual(comments(example));
    expect(statSync(join(folder, ".dev.vars")).mode & 0o777).toBe(0o600);
  });

  it("replaces a private key that is set only when --key-file says so", async () => {
    const folder = createClone();
    await run(folder, ...app("--access", "open", "--no-exchange"));
    const other = createKeyPair();
    writeFileSync(join(folder, "other.pem"), other.privateKey);
    await run(folder, "--yes", "--no-exchange", "--access", "open");
    expect(String(readProject(folder).local["PRIVATE_KEY"]).trim()).toBe(keyPair.privateKey.trim());
    await run(folder, "--yes", "--no-exchange", "--access", "open", "--key-file", "other.pem");
    expect(String(readProject(folder).local["PRIVATE_KEY"]).trim()).toBe(other.privateKey.trim());
  });

  it("draws an id for each rate limit that has the one of the example, and keeps ids that somebody chose", async () => {
    const examples = [undefined, "staging", "production"].flatMap(
      (env) => readProject(dirname(SHIPPED_TOML_PATH), env).namespaceIds,
    );
    expect(examples.toSorted()).toEqual(EXAMPLE_NAMESPACE_IDS.toSorted());

    const folder = createClone({ "wrangler.toml": SHIPPED_TOML.replace("895321969", "7001") });
    await run(folder, ...app("--access", "open", "--no-exchange"));
    const [first, second] = readProject(folder).namespaceIds;
    expect(first).toMatch(/^\d{9}$/);
    expect(EXAMPLE_NAMESPACE_IDS).not.toContain(first);
    expect(second).toBe("7001");
  });

  it("sets up an environment, and leaves the settings of the top level as they were", async () => {
    const folder = createClone();
    await run(
      folder,
      ...app("--env", "production", "--access", "key", "--domain", "token.example.com", "--no-exchange"),
    );
    const [top, production] = [readProject(folder), readProject(folder, "production")];
    expect(top.deployed).not.toHaveProperty("CLIENT_ID");
    expect(production).toMatchObject({ deployed: { CLIENT_ID: "1127" }, domain: "token.example.com" });
    expect(production.deployed["CALLERS"]).toHaveLength(1);
    expect(existsSync(join(folder, ".dev.vars.production"))).toBe(true);
  });

  it("gives the first caller of the top level to the environments too, which would be open", async () => {
    const folder = createClone();
    await run(folder, ...app("--access", "key", "--no-exchange"));
    const { CALLERS } = readProject(folder).deployed;
    expect(readProject(folder, "staging").deployed["CALLERS"]).toEqual(CALLERS);

    await run(folder, "--yes", "--no-exchange", "--access", "key", "--caller", "second");
    expect(readProject(folder).deployed["CALLERS"]).toHaveLength(2);
    expect(readProject(folder, "production").deployed["CALLERS"]).toEqual(CALLERS);
  });

  it("requires a key for an environment, and does not take the one of the top level", async () => {
    const folder = createClone();
    await run(folder, ...app("--access", "open", "--no-exchange"));
    unlinkSync(join(folder, "private_key.pem"));
    const { stderr } = await spawnSetup(folder, "--env", "production", "--yes", "--access", "open");
    expect(stderr).toMatch(/Missing options: --client-id, --key-file, --kid/);
  });

  it("shows with --dry-run everything that it would do, and does and sends nothing", async () => {
    const folder = createClone();
    const exchanges = await countExchanges();
    const { stdout, code } = await spawnSetup(folder, ...app("--access", "key", "--dry-run"));
    expect(stdout).toMatch(/This would be written: .dev.vars \(mode 600\), wrangler.toml/);
    expect(stdout).toMatch(/set {5}wrangler.toml: caller = \{ name = "first-script", key_sha256 = /);
    expect(stdout).not.toContain("ctw_");
    expect(code).toBe(0);
    expect(existsSync(join(folder, ".dev.vars"))).toBe(false);
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toBe(SHIPPED_TOML);
    expect(await countExchanges()).toBe(exchanges);
  });

  it("adds callers, but none whose name is there or that the settings would refuse beside the others", async () => {
    const folder = createClone();
    const recipe = (name: string) => [
      "--yes",
      "--no-exchange",
      "--access",
      "issuer",
      "--recipe",
      name,
      "--issuer",
      "abc",
    ];
    await run(folder, ...app("--access", "key", "--no-exchange"));
    const before = readFileSync(join(folder, "wrangler.toml"), "utf8");
    const again = await run(folder, "--yes", "--no-exchange", "--access", "key");
    expect(again.stderr).toBe("--caller already exists in wrangler.toml: first-script.");
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toBe(before);

    expect((await run(folder, ...recipe("supabase"))).code).toBe(0);
    expect(readProject(folder).deployed["CALLERS"]).toMatchObject([{ name: "first-script" }, { name: "web-users" }]);
    const other = await run(folder, ...recipe("firebase"), "--caller", "others");
    expect(other.stderr).toMatch(/^The settings do not go together: CALLERS\[2\].user_prefix is required/);
  });

  it("does not open a service that has callers", async () => {
    const folder = createClone();
    await run(folder, ...app("--access", "key", "--no-exchange"));
    const { stderr } = await run(folder, "--yes", "--no-exchange", "--access", "open");
    expect(stderr).toMatch(/^--access open: there are CALLERS, which are kept/);
  });
});

async function countExchanges(): Promise<number> {
  return (await createCoze(emulator.url).exchanges()).length;
}
