import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Coze, createCoze } from "../../../tools/emulator/client.ts";
import { startEmulator } from "../../../tools/emulator/server.ts";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import { readProject } from "../../../tools/lib/project.ts";
import { tryExchange } from "../../../tools/lib/try-exchange.ts";
import { readCommandLine } from "../../../tools/rotate/command-line.ts";
import type { RotatePorts } from "../../../tools/rotate/context.ts";
import { rotate } from "../../../tools/rotate/rotate.ts";
import { buildScript } from "../../support/deployed-worker.ts";
import { createFolder, TOML, varsFile } from "../doctor/folder.ts";
import { startCloudflare } from "./cloudflare.ts";

const OLD = { kid: "the-old-key", ...createKeyPair() };
const NEW = { kid: "the-new-key", ...createKeyPair() };
const START = Date.parse("2026-11-21T08:00:00Z");
/** The default life of a token, and a minute in which the version before may still respond. */
const OLD_TOKENS_END = START + (900 + 60) * 1000;
const STATE = ".wrangler/rotate.json";

const resources = new AsyncDisposableStack();
let script: string;
let coze: Coze;
let apps = 0;

beforeAll(async () => {
  script = await buildScript(resources);
  const emulator = resources.adopt(await startEmulator(), (server) => server.close());
  coze = createCoze(emulator.url);
});

afterAll(() => resources.disposeAsync());

type Setting = { readonly vars?: object; readonly env?: string; readonly toml?: (vars: string) => string };

/** A service with the old key, whose app at Coze has both; the new key was downloaded. */
async function createService({ vars = {}, env, toml = (text) => text }: Setting = {}) {
  apps += 1;
  const clientId = `app-${apps}`;
  await coze.registerApp(clientId, [OLD.kid], OLD.publicKey);
  await coze.addKey(clientId, NEW.kid, NEW.publicKey);
  const table = [
    `[${env === undefined ? "" : `env.${env}.`}vars]`,
    `CLIENT_ID = "${clientId}"`,
    `KID = "${OLD.kid}" # of this month`,
    `TOKEN_ENDPOINT = "${coze.tokenEndpoint}"`,
  ].join("\n");
  const folder = createFolder({
    "wrangler.toml": `${TOML}${toml(table)}\n`,
    ".dev.vars": varsFile({ PRIVATE_KEY: OLD.privateKey, ...vars }),
    "new.pem": NEW.privateKey,
    "old.pem": OLD.privateKey,
  });
  const cloudflare = await startCloudflare(folder, script, env);
  onTestFinished(cloudflare.close);
  const said: string[] = [];

  return {
    folder,
    clientId,
    cloudflare,
    /** All that was said so far. */
    output: () => said.join("\n"),
    read: (name: string) => readFileSync(join(folder, name), "utf8"),
    has: (name: string) => existsSync(join(folder, name)),
    /** `npm run rotate --` without a terminal. */
    run(args: readonly string[], ports: Partial<RotatePorts> = {}) {
      const { options, env } = readCommandLine(args.map((word) => (/\.pem$/.test(word) ? join(folder, word) : word)));
      return rotate(readProject(folder, env), options, {
        prompter: undefined,
        say: (text) => said.push(text),
        runWrangler: cloudflare.runWrangler,
        tryExchange,
        keyFile: undefined,
        credential: undefined,
        width: 120,
        pauseMs: 10,
        now: () => START,
        ...ports,
      });
    },
  };
}

const NEW_PAIR = ["--key-file", "new.pem", "--kid", NEW.kid, "--yes"];

describe("npm run rotate", () => {
  it("deploys both pairs at once, removes the old one, and is not finished before the tokens of the old key have ended", async () => {
    const { run, cloudflare, read, has, folder, output, clientId } = await createService();
    const first = await run(NEW_PAIR);
    const deleteAfter = new Date(OLD_TOKENS_END).toISOString();
    expect(first).toEqual({ outcome: "waiting", oldKid: OLD.kid, newKid: NEW.kid, deleteAfter });
    const alone = { PRIVATE_KEY: NEW.privateKey.trim() };
    const both = { ...alone, PREVIOUS_KID: OLD.kid, PREVIOUS_PRIVATE_KEY: OLD.privateKey.trim() };
    expect(cloudflare.history.map(trimmed)).toEqual([both, alone]);
    expect(cloudflare.commands).toEqual([
      "deploy --env= --secrets-file --dry-run",
      "deploy --env= --secrets-file",
      "secret bulk --env=",
    ]);
    expect(output().match(/│ ok {3}│ token /g)).toHaveLength(2); // after each change

    expect(read("wrangler.toml")).toContain(`KID = "${NEW.kid}"`);
    expect(readProject(folder).local).toMatchObject({ KID: NEW.kid, PREVIOUS_KID: "", PREVIOUS_PRIVATE_KEY: "" });
    expect(statSync(join(folder, ".dev.vars")).mode & 0o777).toBe(0o600);
    expect(read(STATE)).not.toContain("BEGIN");

    expect((await run(["--yes"], { now: () => OLD_TOKENS_END - 1000 })).outcome).toBe("waiting");
    expect(output()).not.toContain("Finished");
    expect((await run(["--yes"], { now: () => OLD_TOKENS_END })).outcome).toBe("finished");
    expect(output()).toContain(`Finished. Delete the old key, ${OLD.kid},`);
    expect(has(STATE)).toBe(false);

    await coze.removeKey(clientId, OLD.kid);
    const response = await fetch(cloudflare.url, { method: "POST", headers: { "X-User-ID": "new" } });
    expect(response.status).toBe(200);
  });

  it("waits until Coze knows the new key, and deploys nothing before that", async () => {
    const { run, cloudflare, clientId, output } = await createService();
    await coze.removeKey(clientId, NEW.kid);
    let tries = 0;
    const result = await run(NEW_PAIR, {
      async tryExchange(settings) {
        if (settings.kid === NEW.kid) tries += 1;
        if (tries === 3) await coze.addKey(clientId, NEW.kid, NEW.publicKey);
        expect(cloudflare.commands.length === 0 || tries >= 3).toBe(true);
        return tryExchange(settings);
      },
    });
    expect(result.outcome).toBe("waiting");
    expect(output().match(/does not work at Coze yet/g)).toHaveLength(2);
  });

  it("goes on after a failed deployment and after a failed removal, without the key files", async () => {
    const { run, cloudflare, read, folder } = await createService();
    cloudflare.failures.push("no network");
    await expect(run(NEW_PAIR)).rejects.toThrow(/is not deployed, or does not work/);
    expect(JSON.parse(read(STATE))).toMatchObject({ step: "deploy", oldKid: OLD.kid, newKid: NEW.kid });
    expect(cloudflare.history).toEqual([]);
    await expect(run(["--kid", "another", "--yes"])).rejects.toThrow(/is not finished. Finish it without --kid/);

    const vars = read(".dev.vars");
    writeFileSync(join(folder, ".dev.vars"), vars.replace(/PREVIOUS_KID=.*/, ""));
    await expect(run(["--yes"])).rejects.toThrow(/^PREVIOUS_KID is no longer in the vars file/);
    writeFileSync(join(folder, ".dev.vars"), vars);

    const deploymentWorks = async (args: readonly string[], isQuiet: boolean) =>
      args[0] === "secret" ? { code: 1, output: "no network", targets: [] } : cloudflare.runWrangler(args, isQuiet);
    await expect(run(["--yes"], { runWrangler: deploymentWorks })).rejects.toThrow(/could not be removed/);
    expect(JSON.parse(read(STATE))).toMatchObject({ step: "remove", url: `${cloudflare.url}/` });

    expect((await run(["--yes"])).outcome).toBe("waiting");
    const previous = cloudflare.history.map(({ PREVIOUS_KID }) => PREVIOUS_KID);
    expect(previous).toEqual([OLD.kid, undefined]);
  });

  it("checks again before it goes on: the key at Coze, and the service", async () => {
    const { run, cloudflare, clientId } = await createService();
    const onlyDeployment = async (args: readonly string[], isQuiet: boolean) =>
      args[0] === "secret" ? { code: 1, output: "", targets: [] } : cloudflare.runWrangler(args, isQuiet);
    await expect(run(NEW_PAIR, { runWrangler: onlyDeployment })).rejects.toThrow();

    await expect(run(["--yes", "--url", "http://127.0.0.1:9"])).rejects.toThrow(/The service is not right/);
    await coze.removeKey(clientId, NEW.kid);
    await expect(run(["--yes"])).rejects.toThrow(/The new key the-new-key does not work at Coze/);
    expect(cloudflare.history).toHaveLength(1); // nothing was removed
  });

  it("requests a token with the credential that is given for a closed service", async () => {
    const caller = '[[vars.CALLERS]]\nname = "script"\nkey_sha256 = "';
    const digest = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"; // of "foo"
    const { run, output } = await createService({ toml: (text) => `${text}\n${caller}${digest}"` });
    await run(NEW_PAIR, { credential: "foo" });
    expect(output().match(/│ ok {3}│ token /g)).toHaveLength(2);
    expect(output()).not.toContain("no check requests a token");
    await run(["--yes"]);
    expect(output()).toMatch(/CREDENTIAL has no API key or JWT of a caller, so no check requests a token/);
  });

  it("deploys the new pair alone when the old key is lost", async () => {
    const { run, cloudflare } = await createService({ vars: { PRIVATE_KEY: "" } });
    await expect(run(NEW_PAIR)).rejects.toThrow(/missing: --old-key-file \(or --no-old-key\)$/);
    expect(await run([...NEW_PAIR, "--no-old-key"])).toMatchObject({ outcome: "waiting" });
    expect(cloudflare.history.map(trimmed)).toEqual([{ PRIVATE_KEY: NEW.privateKey.trim() }]);
  });

  it("changes the key of an environment, with its KID as a secret where wrangler.toml has none", async () => {
    const toml = (text: string) => `${text.replace(/KID = .*/, "")}\n`;
    const { run, cloudflare, read } = await createService({ env: "production", toml });
    const args = [...NEW_PAIR, "--env", "production", "--old-kid", OLD.kid, "--old-key-file", "old.pem"];
    expect((await run(args)).outcome).toBe("waiting");
    expect(cloudflare.history.map(({ KID }) => KID)).toEqual([NEW.kid, NEW.kid]);
    expect(cloudflare.commands.at(-1)).toBe("secret bulk --env=production");
    expect(read(".dev.vars.production")).toContain(`KID="${NEW.kid}"`);
    expect(JSON.parse(read(".wrangler/rotate.production.json"))).toMatchObject({ step: "wait" });
  });

  it("names all missing flags, and writes and sends nothing with --dry-run", async () => {
    const { run, cloudflare, read, has, output } = await createService();
    const before = read("wrangler.toml");
    await expect(run([])).rejects.toThrow(/missing: --key-file, --kid, --yes$/);
    const tryExchange = () => Promise.reject(new Error("sends"));
    expect((await run([...NEW_PAIR, "--dry-run"], { tryExchange })).outcome).toBe("planned");
    expect(output()).toMatch(/4\. remove the old pair.*5\. say when .* after 900 s/s);
    expect([read("wrangler.toml"), has(STATE), cloudflare.commands]).toEqual([before, false, []]);
  });

  it.each([
    ["the key in use", ["--key-file", "old.pem", "--kid", NEW.kid, "--yes"], /^--key-file is the key that is in use/],
    [
      "the KID in use",
      ["--key-file", "new.pem", "--kid", OLD.kid, "--yes"],
      /^--kid is that of the key that is in use/,
    ],
    ["a wrong old pair", [...NEW_PAIR, "--old-kid", "wrong"], /^The old key wrong does not work at Coze/],
  ])("refuses %s, and changes nothing", async (_what, args, message) => {
    const { run, cloudflare, read, has } = await createService();
    const before = read("wrangler.toml");
    await expect(run(args)).rejects.toThrow(message);
    expect([read("wrangler.toml"), has(STATE), cloudflare.commands]).toEqual([before, false, []]);
  });

  it("leaves alone what was begun by hand, or is no secret", async () => {
    const byHand = await createService({ vars: { PREVIOUS_KID: OLD.kid } });
    await expect(byHand.run(NEW_PAIR)).rejects.toThrow(/begun by hand/);
    const inToml = await createService({ toml: (text) => `${text}\nPREVIOUS_KID = "${OLD.kid}"` });
    await expect(inToml.run(NEW_PAIR)).rejects.toThrow(/wrangler.toml has PREVIOUS_KID/);
    mkdirSync(join(byHand.folder, ".wrangler"));
    writeFileSync(join(byHand.folder, STATE), "{}");
    await expect(byHand.run(NEW_PAIR)).rejects.toThrow(/rotate.json is damaged/);
  });
});

function trimmed(secrets: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, value.trim()]));
}
