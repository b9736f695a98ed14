import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { createProject } from "../start/project.ts";

it.each([
  [["--env", "production", "--dry-run", "--keep-vars"], /dry-run: exiting now/],
  [["--help"], /All other options go to wrangler deploy/],
])("runs npm run deploy -- %j without an account", async (args, shown) => {
  using project = createProject();
  const env = { ...process.env, HOME: project.home, CLOUDFLARE_API_TOKEN: undefined };
  const run = promisify(execFile)("npm", ["run", "deploy", "--", ...args], { cwd: project.root, env });
  expect((await run).stdout).toMatch(shown);
});
