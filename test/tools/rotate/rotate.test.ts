import { spawnSync } from "node:child_process";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import { readProject } from "../../../tools/lib/project.ts";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import { tryExchange } from "../../../tools/lib/try-exchange.ts";
import { NEW, NEW_PAIR, OLD, prepareServices, START, STATE } from "./rotated-service.ts";

/** The default life of a token, and a minute in which the version before may still respond. */
const OLD_TOKENS_END = START + (900 + 60) * 1000;
const API_KEY = "ctw_of-a-test";
const CALLER = `\n[[vars.CALLERS]]\nname = "script"\nkey_sha256 = "${sha256Hex(API_KEY)}"\n`;

const LOCK = ".wrangler/rotate.lock";

const createService = prepareServices();

describe("npm run rotate", () => {
  it("deploys both pairs at once, removes the old one, and is not finished before the tokens of the old key have ended", async () => {
    const { run, cloudflare, read, has, folder, output, removeKey } = await createService();
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
    expect(output().match(/has issued a new token/g)).toHaveLength(2); // after each change

    expect(read("wrangler.toml")).toContain(`KID = "${NEW.kid}"`);
    expect(readProject(folder).local).toMatchObject({ KID: NEW.kid, PREVIOUS_KID: "", PREVIOUS_PRIVATE_KEY: "" });
    expect(statSync(join(folder, ".dev.vars")).mode & 0o777).toBe(0o600);
    expect(read(STATE)).not.toContain("BEGIN");

    expect((await run(["--yes"], { now: () => OLD_TOKENS_END - 1000 })).outcome).toBe("waiting");
    expect(output()).not.toContain("Finished");
    expect((await run(["--yes"], { now: () => OLD_TOKENS_END })).outcome).toBe("finished");
    expect(output()).toContain(`Finished. Delete the old key, ${OLD.kid},`);
    expect(has(STATE)).toBe(false);

    await removeKey(OLD.kid);
    const response = await fetch(cloudflare.url, { method: "POST", headers: { "X-User-ID": "new" } });
    expect(response.status).toBe(200);
  });

  it("waits until Coze knows the new key, and deploys nothing before that", async () => {
    const { run, cloudflare, removeKey, addNewKey, output } = await createService();
    await removeKey(NEW.kid);
    let tries = 0;
    const result = await run(NEW_PAIR, {
      async tryExchange(settings) {
        if (settings.kid === NEW.kid) tries += 1;
        if (tries === 3) await addNewKey();
        expect(cloudflare.commands.length === 0 || tries >= 3).toBe(true);
        return tryExchange(settings);
      },
    });
    expect(result.outcome).toBe("waiting");
    expect(output().match(/does not work at Coze yet/g)).toHaveLength(2);
  });

  it("stops at once when the key is not that of the KID, which no waiting cures", async () => {
    const { run, folder, output } = await createService();
    writeFileSync(join(folder, "new.pem"), createKeyPair().privateKey);
    await expect(run(NEW_PAIR)).rejects.toThrow(/does not work at Coze.*verify jwt token error/);
    expect(output()).not.toContain("Trying again");
  });

  it("asks a person once whether the KID is right, and goes on waiting on Enter", async () => {
    const { run, removeKey, addNewKey } = await createService();
    await removeKey(NEW.kid);
    const questions: string[] = [];
    let tries = 0;
    const result = await run(NEW_PAIR.slice(0, 4), {
      prompter: {
        text: async (question, initial = "") => {
          questions.push(question);
          return initial;
        },
        select: () => Promise.reject(new Error("asks for a choice")),
        confirm: async () => true,
        say: () => undefined,
      },
      async tryExchange(settings) {
        if (settings.kid === NEW.kid) tries += 1;
        if (tries === 8) await addNewKey();
        return tryExchange(settings);
      },
    });
    expect(result.outcome).toBe("waiting");
    expect(questions).toEqual([expect.stringContaining("Coze does not know this KID")]);
  });

  it("keeps, and deploys, what is written into the files while it waits for Coze", async () => {
    const { run, cloudflare, read, edit, removeKey, addNewKey } = await createService();
    await removeKey(NEW.kid);
    let tries = 0;
    await run([...NEW_PAIR, "--no-token-check"], {
      async tryExchange(settings) {
        if (settings.kid === NEW.kid) tries += 1;
        if (tries === 2) {
          edit("wrangler.toml", (text) => text + CALLER);
          edit(".dev.vars", (text) => `${text}SERVER_TIMING="true"\n`);
          await addNewKey();
        }
        return tryExchange(settings);
      },
    });
    expect(read("wrangler.toml")).toContain(CALLER.trim());
    expect(read(".dev.vars")).toContain('SERVER_TIMING="true"');
    expect((await fetch(cloudflare.url, { method: "POST" })).status).toBe(401);
  });

  it("writes nothing when the key in use has changed while it waited", async () => {
    const { run, cloudflare, edit, has } = await createService();
    const rotation = run(NEW_PAIR, {
      async tryExchange(settings) {
        edit("wrangler.toml", (text) => text.replace(OLD.kid, "a-third-key"));
        return tryExchange(settings);
      },
    });
    await expect(rotation).rejects.toThrow(/^KID was changed while this ran, so nothing was written/);
    expect([has(STATE), cloudflare.commands]).toEqual([false, []]);
  });

  it("runs alone, and takes over from a run that was killed", async () => {
    const { run, folder, has } = await createService();
    let second: Promise<unknown> | undefined;
    const first = await run(NEW_PAIR, {
      tryExchange(settings) {
        second ??= expect(run(NEW_PAIR)).rejects.toThrow(
          `Another npm run rotate is at work here, process ${process.pid}`,
        );
        return tryExchange(settings);
      },
    });
    await second;
    expect([first.outcome, has(LOCK)]).toEqual(["waiting", false]);

    writeFileSync(join(folder, LOCK), String(spawnSync("true").pid));
    expect((await run(["--yes"])).outcome).toBe("waiting");
  });

  it("does not rotate the key of a closed service without CREDENTIAL, unless told to", async () => {
    const { run, cloudflare, output, has } = await createService({ toml: (text) => text + CALLER });
    await expect(run(NEW_PAIR)).rejects.toThrow(/^The service is closed: .* into the variable CREDENTIAL/);
    expect((await run([...NEW_PAIR, "--dry-run"])).outcome).toBe("planned");
    expect(output()).toMatch(/^The service is closed: .* into the variable CREDENTIAL/m);
    expect([has(STATE), cloudflare.commands]).toEqual([false, []]);

    await run(NEW_PAIR, { credential: API_KEY });
    expect(output().match(/has issued a new token/g)).toHaveLength(2);
    expect((await run(["--yes", "--no-token-check"])).outcome).toBe("waiting");
    expect(output()).toMatch(/no new token is requested of the service, so it may not work/);
  });

  it("rotates where the callers of this machine are a secret of the Worker, and not in wrangler.toml", async () => {
    const CALLERS = JSON.stringify([{ name: "script", key_sha256: sha256Hex(API_KEY) }]);
    const { run } = await createService({ vars: { CALLERS } });
    expect((await run([...NEW_PAIR, "--no-token-check"])).outcome).toBe("waiting");
  });

  it("needs no CREDENTIAL where some caller gets tokens without one", async () => {
    const toml = (text: string) => `${text}${CALLER}\n[[vars.CALLERS]]\nname = "web"\nanonymous = true\n`;
    const { run } = await createService({ toml });
    expect((await run(NEW_PAIR)).outcome).toBe("waiting");
  });

  it("says that an environment is not set up rather than what is missing for a rotation", async () => {
    const { run } = await createService({ toml: () => "[env.production]" });
    await expect(run(["--env", "production"])).rejects.toThrow(
      /^production is not set up: npm run setup -- --env production$/,
    );
  });

  it("takes the key file that was downloaded, unless it is that of the key in use", async () => {
    const { run, folder, output } = await createService();
    const args = ["--kid", NEW.kid, "--yes"];
    await expect(run(args, { keyFile: join(folder, "old.pem") })).rejects.toThrow(/^--key-file is missing/);
    expect(output()).toMatch(/old\.pem is the key that is in use now\. First create a second key/);
    expect((await run(args, { keyFile: join(folder, "new.pem") })).outcome).toBe("waiting");
  });

  it("deploys the new pair alone when the old key is lost", async () => {
    const { run, cloudflare } = await createService({ vars: { PRIVATE_KEY: "" } });
    await expect(run(NEW_PAIR)).rejects.toThrow(/Missing options: --old-key-file \(or --no-old-key\)$/);
    expect(await run([...NEW_PAIR, "--no-old-key"])).toMatchObject({ outcome: "waiting" });
    expect(cloudflare.history.map(trimmed)).toEqual([{ PRIVATE_KEY: NEW.privateKey.trim() }]);
  });

  it("rotates the key of an environment, with its KID as a secret where wrangler.toml has none", async () => {
    const toml = (text: string) => `${text.replace(/KID = .*/, "")}\n`;
    const { run, cloudflare, read } = await createService({ env: "production", toml });
    const args = [...NEW_PAIR, "--env", "production", "--old-kid", OLD.kid, "--old-key-file", "old.pem"];
    expect((await run(args)).outcome).toBe("waiting");
    expect(cloudflare.history.map(({ KID }) => KID)).toEqual([NEW.kid, NEW.kid]);
    expect(cloudflare.commands.at(-1)).toBe("secret bulk --env=production");
    expect(read(".dev.vars.production")).toContain(`KID="${NEW.kid}"`);
    expect(JSON.parse(read(".wrangler/rotate.production.json"))).toMatchObject({ step: "wait" });
  });

  it("names all missing options, and writes and sends nothing with --dry-run", async () => {
    const { run, cloudflare, read, has, output } = await createService();
    const before = read("wrangler.toml");
    await expect(run([])).rejects.toThrow(/Missing options: --key-file, --kid, --yes$/);
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

  it("leaves a rotation alone that was begun by hand", async () => {
    const { run } = await createService({ vars: { PREVIOUS_KID: OLD.kid } });
    await expect(run(NEW_PAIR)).rejects.toThrow(/a rotation was begun by hand/);
  });

  it("refuses a previous pair in wrangler.toml, where it is no secret", async () => {
    const { run } = await createService({ toml: (text) => `${text}\nPREVIOUS_KID = "${OLD.kid}"` });
    await expect(run(NEW_PAIR)).rejects.toThrow(/wrangler.toml has PREVIOUS_KID/);
  });

  it("refuses a damaged .wrangler/rotate.json", async () => {
    const { run, folder } = await createService();
    mkdirSync(join(folder, ".wrangler"));
    writeFileSync(join(folder, STATE), "{}");
    await expect(run(NEW_PAIR)).rejects.toThrow(/rotate.json is damaged/);
  });
});

function trimmed(secrets: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, value.trim()]));
}
