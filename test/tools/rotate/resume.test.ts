import { describe, expect, it } from "vitest";
import { deploy } from "../../../tools/deploy/deploy.ts";
import { checkLocal } from "../../../tools/doctor/local.ts";
import { varsLine } from "../../../tools/lib/vars-file.ts";
import { NEW, NEW_PAIR, OLD, prepareServices, START } from "./rotated-service.ts";

const createService = prepareServices();

describe("npm run rotate, run again", () => {
  it("goes on after a failed deployment and after a failed removal, without the key files", async () => {
    const { run, cloudflare, state, onlyDeploys } = await createService();
    cloudflare.failures.push("no network");
    await expect(run(NEW_PAIR)).rejects.toThrow(/is not deployed, or does not work/);
    expect(state()).toMatchObject({ step: "deploy", oldKid: OLD.kid, newKid: NEW.kid });
    expect(cloudflare.history).toEqual([]);
    await expect(run(["--kid", "another", "--yes"])).rejects.toThrow(/is not finished. Finish it without --kid/);

    await expect(run(["--yes"], { runWrangler: onlyDeploys })).rejects.toThrow(/could not be removed/);
    expect(state()).toMatchObject({ step: "remove", url: `${cloudflare.url}/` });

    expect((await run(["--yes"])).outcome).toBe("waiting");
    const previous = cloudflare.history.map(({ PREVIOUS_KID }) => PREVIOUS_KID);
    expect(previous).toEqual([OLD.kid, undefined]);
  });

  const inVars = (name: string, value: string) => (text: string) =>
    text.replace(new RegExp(`^${name}=.*$`, "m"), varsLine(name, value));

  it.each([
    ["KID", "wrangler.toml", (text: string) => text.replace(NEW.kid, OLD.kid)],
    ["PRIVATE_KEY", ".dev.vars", inVars("PRIVATE_KEY", OLD.privateKey)],
    ["PREVIOUS_KID", ".dev.vars", inVars("PREVIOUS_KID", "another")],
    ["PREVIOUS_PRIVATE_KEY", ".dev.vars", inVars("PREVIOUS_PRIVATE_KEY", NEW.privateKey)],
  ])("deploys nothing when %s is not the one that it began with", async (name, file, change) => {
    const { run, cloudflare, edit } = await createService();
    cloudflare.failures.push("no network");
    await expect(run(NEW_PAIR)).rejects.toThrow();
    edit(file, change);
    await expect(run(["--yes"])).rejects.toThrow(`${name} in ${file} is not the one that the rotation`);
    expect(cloudflare.history).toEqual([]);
  });

  it("removes nothing when KID is no longer the one that is deployed", async () => {
    const { run, cloudflare, edit } = await createService();
    const rotation = run(NEW_PAIR, {
      async runWrangler(args, isQuiet) {
        const deployed = await cloudflare.runWrangler(args, isQuiet);
        if (!args.includes("--dry-run")) edit("wrangler.toml", (text) => text.replace(NEW.kid, OLD.kid));
        return deployed;
      },
    });
    await expect(rotation).rejects.toThrow("KID in wrangler.toml is not the one");
    expect(cloudflare.history).toHaveLength(1);
  });

  it("tries the old pair again before it deploys it, unless that is known to be deleted", async () => {
    const { run, cloudflare, removeKey } = await createService();
    cloudflare.failures.push("no network");
    await expect(run(NEW_PAIR)).rejects.toThrow();
    await removeKey(OLD.kid);
    await expect(run(["--yes"])).rejects.toThrow(/^The old key the-old-key does not work at Coze.*--no-old-key/s);
    expect((await run(["--yes", "--no-old-key"])).outcome).toBe("waiting");
    expect(cloudflare.history.at(-1)).not.toHaveProperty("PREVIOUS_KID");
  });

  it("checks again before it goes on: the key at Coze, and the service", async () => {
    const { run, cloudflare, removeKey, onlyDeploys } = await createService();
    await expect(run(NEW_PAIR, { runWrangler: onlyDeploys })).rejects.toThrow();

    await expect(run(["--yes", "--url", "http://127.0.0.1:9"])).rejects.toThrow(/The service is not right/);
    await removeKey(NEW.kid);
    await expect(run(["--yes"])).rejects.toThrow(/The new key the-new-key does not work at Coze/);
    expect(cloudflare.history).toHaveLength(1); // nothing was removed
  });

  it("keeps every other deployment away while the files have the new pair and the Worker does not", async () => {
    const { run, cloudflare, folder } = await createService();
    cloudflare.failures.push("no network");
    await expect(run(NEW_PAIR)).rejects.toThrow();
    const said: string[] = [];
    const options = { root: folder, env: undefined, dryRun: false, allowOpen: true, wranglerArguments: [] };
    const { runWrangler, commands } = cloudflare;
    const before = commands.length;
    const code = await deploy(options, { runWrangler, say: (text) => said.push(text), width: 200, pauseMs: 10 });
    expect([code, commands.length]).toEqual([1, before]);
    expect(said.join("\n")).toMatch(/FAIL │ rotation .*A key rotation has begun: go on with npm run rotate\./);

    expect((await run(["--yes"])).outcome).toBe("waiting");
    expect((await checkLocal(folder, undefined, "local")).findings.map(({ name }) => name)).not.toContain("rotation");
  });

  const BEFORE = {
    KID: OLD.kid,
    PRIVATE_KEY: OLD.privateKey,
    PREVIOUS_KID: "",
    PREVIOUS_PRIVATE_KEY: "",
    CF_VERSION_METADATA: { id: "version-before" },
  };
  const withVersion = (text: string) => `version_metadata = { binding = "CF_VERSION_METADATA" }\n${text}`;

  it("deploys the new pair again when another version runs than the one that it deployed, and begins to wait anew", async () => {
    const { run, cloudflare, state, output } = await createService({ toml: withVersion });
    await run(NEW_PAIR);
    expect(state()).toMatchObject({ step: "wait", version: "version-1" });
    await cloudflare.rollBack(BEFORE);

    const muchLater = () => START + 24 * 3600 * 1000;
    const again = await run(["--yes"], { now: muchLater });
    expect(output()).toMatch(/runs the version version-before, and not version-1.*it may use the old key/);
    expect(again).toMatchObject({ outcome: "waiting", deleteAfter: new Date(muchLater() + 960_000).toISOString() });
    expect(cloudflare.history.at(-1)).toEqual({ PRIVATE_KEY: expect.stringContaining(NEW.privateKey.trim()) });
    const evenLater = () => muchLater() + 960_000;
    expect((await run(["--yes"], { now: evenLater })).outcome).toBe("finished");
    expect(output()).not.toContain("could not be told");
  });

  it("deploys both pairs again when the version with them was rolled back", async () => {
    const { run, cloudflare, onlyDeploys } = await createService({ toml: withVersion });
    await expect(run(NEW_PAIR, { runWrangler: onlyDeploys })).rejects.toThrow(/could not be removed/);
    await cloudflare.rollBack(BEFORE);
    expect((await run(["--yes"])).outcome).toBe("waiting");
    const previous = cloudflare.history.map(({ PREVIOUS_KID }) => PREVIOUS_KID);
    expect(previous).toEqual([OLD.kid, OLD.kid, undefined]);
  });

  it("says that it could not be told which version runs where the service does not name it", async () => {
    const { run, output } = await createService();
    await run(NEW_PAIR);
    await run(["--yes"]);
    expect(output()).toMatch(/It could not be told whether .* still runs what this rotation deployed/);
  });

  it("takes no cached token for a sign that the new key works alone, and keeps the old pair until one shows it", async () => {
    const { run, cloudflare, read, state, output, removeKey, addNewKey } = await createService();
    const rotation = run(NEW_PAIR, {
      async runWrangler(args, isQuiet) {
        if (args[0] === "secret") await removeKey(NEW.kid);
        return cloudflare.runWrangler(args, isQuiet);
      },
    });
    await expect(rotation).rejects.toThrow(
      /has issued no new token: 502 upstream_rejected.*wrangler rollback --env=""/s,
    );
    expect(output().match(/│ ok {3}│ token /g)).toHaveLength(2); // KV has the one of doctor's user
    expect(state()).toMatchObject({ step: "remove" });
    expect(read(".dev.vars")).toContain(`PREVIOUS_KID="${OLD.kid}"`);

    await addNewKey();
    expect((await run(["--yes"])).outcome).toBe("waiting");
  });
});
