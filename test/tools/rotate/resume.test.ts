import { describe, expect, it } from "vitest";
import { varsLine } from "../../../tools/lib/vars-file.ts";
import { NEW, NEW_PAIR, OLD, prepareServices } from "./rotated-service.ts";

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
