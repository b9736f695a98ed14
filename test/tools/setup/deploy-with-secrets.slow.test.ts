import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { deployWithSecrets } from "../../../tools/setup/deploy-with-secrets.ts";
import { createFolder, KID, keyPair, TOML, varsFile } from "../doctor/folder.ts";
import { createProject } from "../start/project.ts";
import { startHangingCloudflare } from "./hanging-cloudflare.ts";
import { CTRL_C, openTerminal } from "./pseudo-terminal.ts";

it("deploys with all secrets in one private file, which is gone afterwards", async () => {
  const vars = { CLIENT_ID: "1", PRIVATE_KEY: keyPair.privateKey, PREVIOUS_KID: "", UPSTREAM_TIMEOUT_MS: "9" };
  const folder = createFolder({
    "wrangler.toml": `${TOML}[vars]\nCLIENT_ID = "1"\nKID = "${KID}"\n`,
    ".dev.vars": varsFile(vars),
  });
  const sent: unknown[] = [];
  let file = "";
  const code = await deployWithSecrets(folder, undefined, undefined, {
    async runWrangler(args) {
      file = args[args.indexOf("--secrets-file") + 1] ?? "";
      expect(statSync(file).mode & 0o777).toBe(0o600);
      sent.push(JSON.parse(readFileSync(file, "utf8")));
      return { code: 0, output: "", targets: [] };
    },
    say: () => undefined,
    width: 120,
    pauseMs: 0,
  });
  expect(code).toBe(0);
  expect(sent.map((secrets) => Object.keys(secrets as object))).toEqual([["PRIVATE_KEY"], ["PRIVATE_KEY"]]);
  expect(existsSync(file)).toBe(false);
});

it("leaves no secrets behind when Ctrl-C ends a deployment", async () => {
  using project = createProject({ "key.pem": keyPair.privateKey });
  const cloudflare = await startHangingCloudflare();

  const app = ["--client-id", "1", "--kid", KID, "--key-file", "key.pem", "--region", "cn", "--access", "open"];
  const program = join(project.root, "tools/setup/main.ts");
  const terminal = openTerminal(project.root, program, [...app, "--no-exchange", "--yes", "--deploy"], {
    HOME: project.home,
    TMPDIR: project.temp,
    ...cloudflare.env,
  });
  await cloudflare.isAsked;
  expect(project.foldersLeft()).toContainEqual(expect.stringMatching(/secrets/));
  terminal.type(CTRL_C);
  expect((await terminal.ended).code).toBe(130);
  expect(project.foldersLeft()).toEqual([]);
});
