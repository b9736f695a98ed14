import { existsSync, readFileSync, statSync } from "node:fs";
import { expect, it } from "vitest";
import { deployWithSecrets } from "../../../tools/setup/deploy-with-secrets.ts";
import { createFolder, KID, keyPair, TOML, varsFile } from "../doctor/folder.ts";

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
