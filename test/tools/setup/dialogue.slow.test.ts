import { readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkLocal } from "../../../tools/doctor/local.ts";
import { type Coze, createCoze } from "../../../tools/emulator/client.ts";
import { type RunningEmulator, startEmulator } from "../../../tools/emulator/server.ts";
import { SHIPPED_TOML } from "../../support/shipped-toml.ts";
import { createFolder, KID, keyPair } from "../doctor/folder.ts";
import { ROOT } from "../examples/service.ts";
import { CTRL_C, DOWN, ENTER, openTerminal } from "./pseudo-terminal.ts";

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
    await terminal.shows("That does not work: it must be an id");
    await terminal.shows("CLIENT_ID: the id");
    terminal.type(`1127${ENTER}`);
    await terminal.shows("The private key that Coze offered");
    terminal.type(`public.pem${ENTER}`);
    await terminal.shows("the file is a public key");
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
    terminal.type(`1127${ENTER}`);
    await terminal.shows("SHA-256 of its public key");
    await terminal.shows("KID: the fingerprint");
    terminal.type(`${KID}${ENTER}`);
    await terminal.shows("has issued a token");
    expect((await terminal.ended).code).toBe(0);
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toContain(`KID = "${KID}"`);
  });

  it("asks for the login of a recipe, and says what is wrong with an answer to it", async () => {
    const folder = createClone();
    const flags = ["--client-id", "1127", "--kid", KID, "--key-file", "private_key.pem", "--no-exchange"];
    const terminal = open(folder, ...flags);
    await terminal.shows("Who may request tokens?");
    terminal.type(DOWN + ENTER);
    await terminal.shows("Which login?");
    terminal.type(ENTER); // Supabase
    await terminal.shows("Supabase: the project");
    terminal.type(`https://abc.supabase.co${ENTER}`);
    await terminal.shows("without https://");
    await terminal.shows("Supabase: the project");
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

  it.each(["CLIENT_ID: the id", "Write this?"])("leaves everything as it was on Ctrl-C at: %s", async (question) => {
    const folder = createClone();
    const flags = [
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
    const terminal = open(folder, ...flags, ...(question === "Write this?" ? ["--client-id", "1127"] : []));
    await terminal.shows(question);
    terminal.type(CTRL_C);
    const { output, code } = await terminal.ended;
    expect(output).toContain("Interrupted: nothing was written.");
    expect(code).toBe(130);
    expect(readdirSync(folder).filter((name) => /vars|tmp/.test(name))).toEqual([]);
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toBe(SHIPPED_TOML);
  });
});
