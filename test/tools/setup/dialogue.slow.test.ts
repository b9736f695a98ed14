import { readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkLocal } from "../../../tools/doctor/local.ts";
import { type Coze, createCoze } from "../../../tools/emulator/client.ts";
import { type RunningEmulator, startEmulator } from "../../../tools/emulator/server.ts";
import { readProject } from "../../../tools/lib/project.ts";
import { SHIPPED_TOML } from "../../support/shipped-toml.ts";
import { createFolder, KID, keyPair } from "../doctor/folder.ts";
import { ROOT } from "../examples/service.ts";
import { CTRL_C, CTRL_D, DOWN, ENTER, openTerminal } from "./pseudo-terminal.ts";

const PROGRAM = join(ROOT, "tools/setup/main.ts");

let emulator: RunningEmulator;
let coze: Coze;

beforeAll(async () => {
  emulator = await startEmulator();
  coze = createCoze(emulator.url);
  await coze.registerApp("1127", [KID], keyPair.publicKey);
});

afterAll(() => emulator.close());

/** A fresh clone, with the downloaded key in it. */
function createClone(): string {
  const folder = createFolder({ "wrangler.toml": SHIPPED_TOML, "private_key.pem": keyPair.privateKey });
  unlinkSync(join(folder, ".dev.vars"));
  return folder;
}

function open(folder: string, ...args: readonly string[]) {
  return openTerminal(folder, PROGRAM, ["--token-endpoint", coze.tokenEndpoint, ...args], { HOME: folder });
}

describe("npm run setup in a terminal", () => {
  it("asks for what is missing, has wrong answers corrected, and writes what doctor finds right", async () => {
    const folder = createClone();
    writeFileSync(join(folder, "public.pem"), keyPair.publicKey);
    const terminal = open(folder);
    await terminal.shows("CLIENT_ID: the id");
    terminal.type(`the app${ENTER}`);
    await terminal.shows("That does not work: it must be letters");
    await terminal.shows("CLIENT_ID: the id");
    terminal.type(`1127${ENTER}`);
    await terminal.shows("The private key that Coze offered");
    terminal.type(`public.pem${ENTER}`);
    await terminal.shows("it is a public key");
    await terminal.shows("The private key that Coze offered");
    terminal.type(ENTER); // the private_key.pem that it has found
    await terminal.shows("SHA-256 of its public key (SPKI): ");
    await terminal.shows("KID: the fingerprint");
    terminal.type(`${KID}${ENTER}`);
    await terminal.shows("has issued a token for this key");
    await terminal.shows("Who may request tokens?");
    terminal.type(ENTER); // the first: an API key
    await terminal.shows("What is this caller called");
    terminal.type(`nightly${ENTER}`);
    await terminal.shows("Ids of the bots");
    terminal.type(`7379${ENTER}`);
    await terminal.shows("Permissions that tokens have");
    terminal.type(ENTER);
    await terminal.shows("Origins of your pages");
    terminal.type(`https://app.example.com${ENTER}`);
    await terminal.shows("A custom domain");
    terminal.type(ENTER);
    await terminal.shows("Write this?");
    terminal.type(ENTER);
    await terminal.shows("Deploy it now");
    terminal.type(ENTER); // no
    const { output, code } = await terminal.ended;
    expect(output).toMatch(/ctw_[\w-]{43}/);
    expect(output).not.toContain("BEGIN");
    expect(code).toBe(0);

    expect(statSync(join(folder, ".dev.vars")).mode & 0o777).toBe(0o600);
    const { findings, config } = await checkLocal(folder, undefined, "local");
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(config).toMatchObject({ clientId: "1127", kid: KID, tokenEndpoint: coze.tokenEndpoint });
    expect(config?.callers).toMatchObject([{ name: "nightly", scope: { account_permission: expect.anything() } }]);
  });

  it("explains a refusal of Coze, and lets the fingerprint be corrected", async () => {
    const folder = createClone();
    const terminal = open(
      folder,
      "--client-id",
      "1127",
      "--kid",
      "wrong",
      "--key-file",
      "private_key.pem",
      "--access",
      "open",
      "--yes",
    );
    await terminal.shows("upstream_rejected: Coze does not know the signing key. Is the app from the same region");
    await terminal.shows("Correct the id");
    terminal.type(ENTER);
    await terminal.shows("CLIENT_ID: the id");
    terminal.type(ENTER); // what it was
    await terminal.shows("The private key that Coze offered");
    terminal.type(ENTER);
    await terminal.shows("SHA-256 of its public key");
    await terminal.shows("KID: the fingerprint");
    terminal.type(`${KID}${ENTER}`);
    await terminal.shows("has issued a token");
    expect((await terminal.ended).code).toBe(0);
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toContain(`KID = "${KID}"`);
  });

  it("asks for the login of a recipe, and says what is wrong with an answer to it", async () => {
    const folder = createClone();
    const options = ["--client-id", "1127", "--kid", KID, "--key-file", "private_key.pem", "--no-exchange"];
    const terminal = open(folder, ...options);
    await terminal.shows("Who may request tokens?");
    terminal.type(DOWN + ENTER);
    await terminal.shows("Which login?");
    terminal.type(ENTER); // Supabase
    await terminal.shows("Supabase: PROJECT of");
    terminal.type(`https://abc.supabase.co${ENTER}`);
    await terminal.shows("and nothing around it");
    await terminal.shows("Supabase: PROJECT of");
    terminal.type(`abc${ENTER}`);
    for (const question of [
      "What is this caller called",
      "Ids of the bots",
      "Permissions",
      "Origins",
      "A custom domain",
      "Write this?",
      "Deploy it now",
    ]) {
      await terminal.shows(question);
      terminal.type(ENTER);
    }
    expect((await terminal.ended).code).toBe(0);
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toContain('issuer = "https://abc.supabase.co/auth/v1"');
  });

  it("asks which Worker it is for when no answer is given, and writes the settings of the environment", async () => {
    const folder = createClone();
    const terminal = openTerminal(folder, PROGRAM, ["--no-exchange"], { HOME: folder });
    await terminal.shows("Which Worker is this for?");
    terminal.type(DOWN + ENTER); // staging
    for (const [question, answer] of [
      ["CLIENT_ID: the id", "1127"],
      ["The private key", ""],
      ["KID: the fingerprint", KID],
      ["Where is the app from?", ""],
      ["Who may request tokens?", DOWN + DOWN],
      ["Ids of the bots", ""],
      ["Permissions", ""],
      ["Origins", ""],
      ["A custom domain", ""],
      ["Write this?", ""],
      ["Deploy it now", CTRL_C],
    ] as const) {
      await terminal.shows(question);
      terminal.type(answer === CTRL_C ? answer : answer + ENTER);
    }
    const { output, code } = await terminal.ended;
    expect(output).toContain("Warning: an open service");
    expect(output).toContain("Interrupted. The files are written.");
    expect(code).toBe(130);
    expect(readProject(folder, "staging").deployed).toMatchObject({ CLIENT_ID: "1127", KID });
  });

  it.each([
    ["CLIENT_ID: the id", CTRL_C],
    ["Write this?", CTRL_C],
    ["CLIENT_ID: the id", CTRL_D],
  ])("leaves everything as it was when interrupted at: %s %j", async (question, key) => {
    const folder = createClone();
    const options = [
      "--kid",
      KID,
      "--key-file",
      "private_key.pem",
      "--access",
      "open",
      "--bot-ids",
      "",
      "--permissions",
      "",
      "--origins",
      "",
      "--domain",
      "",
    ];
    const terminal = open(folder, ...options, ...(question === "Write this?" ? ["--client-id", "1127"] : []));
    await terminal.shows(question);
    terminal.type(key);
    const { output, code } = await terminal.ended;
    expect(output).toContain("Interrupted: nothing was written.");
    expect(code).toBe(130);
    expect(readdirSync(folder).filter((name) => /vars|tmp/.test(name))).toEqual([]);
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toBe(SHIPPED_TOML);
  });
});
