import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const FORBIDDEN: readonly (readonly [file: string, specifier: string])[] = [
  ["src/core/grant/grant.ts", "hono"],
  ["src/core/grant/grant.ts", "jose"],
  ["src/core/grant/grant.ts", "zod/mini"],
  ["src/core/grant/grant.ts", "node:crypto"],
  ["src/core/grant/grant.ts", "cloudflare:workers"],
  ["src/core/grant/grant.ts", "../auth/caller.ts"],
  ["src/core/grant/grant.ts", "../token/exchange.ts"],
  ["src/core/grant/grant.ts", "../../config/config.ts"],
  ["src/core/auth/caller.ts", "../token/exchange.ts"],
  ["src/core/auth/caller.ts", "../../adapters/auth/key-matcher.ts"],
  ["src/core/token/exchange.ts", "../auth/caller.ts"],
  ["src/core/token/exchange.ts", "../../http/cors.ts"],
  ["src/core/token-error.ts", "./grant/grant.ts"],
  ["src/core/token-error.ts", "../app.ts"],
  ["src/adapters/coze/signer.ts", "hono"],
  ["src/adapters/coze/signer.ts", "hono/http-exception"],
  ["src/adapters/coze/signer.ts", "../../http/cors.ts"],
  ["src/adapters/coze/signer.ts", "../../config/config.ts"],
  ["src/adapters/coze/signer.ts", "../../app.ts"],
  ["src/adapters/within.ts", "../app.ts"],
  ["src/adapters/within.ts", "../config/config.ts"],
  ["src/http/cors.ts", "jose"],
  ["src/http/cors.ts", "node:crypto"],
  ["src/http/cors.ts", "../adapters/coze/signer.ts"],
  ["src/http/cors.ts", "../config/config.ts"],
  ["src/http/cors.ts", "../index.ts"],
  ["src/config/config.ts", "../adapters/coze/signer.ts"],
  ["src/config/config.ts", "../http/cors.ts"],
  ["src/config/config.ts", "hono"],
  ["src/console/console.ts", "hono"],
  ["src/console/console.ts", "../config/settings.ts"],
  ["src/console/console.ts", "../http/error-response.ts"],
  ["src/console/console.ts", "../client/client.ts"],
  ["src/app.ts", "./adapters/coze/signer.ts"],
  ["src/app.ts", "./config/config.ts"],
  ["src/client/client.ts", "jose"],
  ["src/client/client.ts", "node:crypto"],
  ["src/client/client.ts", "../core/token-error.ts"],
];

const ALLOWED: readonly (readonly [file: string, specifier: string])[] = [
  ["src/core/grant/grant.ts", "./coze-scope.ts"],
  ["src/core/grant/grant.ts", "../token-error.ts"],
  ["src/core/auth/caller.ts", "../grant/grant.ts"],
  ["src/core/auth/caller.ts", "./origins.ts"],
  ["src/core/token/exchange.ts", "../grant/grant.ts"],
  ["src/core/token-error.ts", "./issue.ts"],
  ["src/adapters/coze/signer.ts", "../../core/token/assertion.ts"],
  ["src/adapters/coze/signer.ts", "../../core/log.ts"],
  ["src/adapters/coze/signer.ts", "./private-key.ts"],
  ["src/adapters/coze/signer.ts", "../within.ts"],
  ["src/adapters/coze/signer.ts", "../logging/digester.ts"],
  ["src/adapters/coze/signer.ts", "jose"],
  ["src/http/cors.ts", "../core/grant/grant.ts"],
  ["src/http/cors.ts", "../core/token-error.ts"],
  ["src/http/cors.ts", "hono"],
  ["src/config/config.ts", "../core/grant/grant.ts"],
  ["src/config/config.ts", "../core/issue.ts"],
  ["src/config/config.ts", "./parse-callers.ts"],
  ["src/console/console.ts", "./dom.ts"],
  ["src/console/console.ts", "../core/token-error.ts"],
  ["src/console/console.ts", "../core/token/token-request.ts"],
  ["src/app.ts", "./http/cors.ts"],
  ["src/client/client.ts", "./endpoint.ts"],
  ["src/index.ts", "./adapters/coze/signer.ts"],
];

let folder: string;
let restricted: ReadonlySet<string>;

/** Plants each import in a copy of the tree of its own, and lints all copies with the project's rules. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coze-token-worker-rings-"));
  const planted = await Promise.all([...FORBIDDEN, ...ALLOWED].map(plant));
  restricted = new Set((await Promise.all(planted.map(isRestricted))).filter((name) => name !== undefined));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

type Planted = { readonly name: string; readonly project: string };

async function plant([file, specifier]: readonly [string, string], index: number): Promise<Planted> {
  const project = join(folder, String(index));
  await mkdir(dirname(join(project, file)), { recursive: true });
  await copyFile("biome.json", join(project, "biome.json"));
  await writeFile(join(project, file), `import { x } from "${specifier}";\nexport const y = x;\n`);
  return { name: `${file} ${specifier}`, project };
}

async function isRestricted({ name, project }: Planted): Promise<string | undefined> {
  const command = ["lint", "--vcs-enabled=false", "--only=style/noRestrictedImports", "--colors=off", "."];
  const output = await promisify(execFile)("biome", command, { cwd: project }).then(
    ({ stdout, stderr }) => stdout + stderr,
    ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
  );
  expect(output).toContain("Checked 2 files");
  return output.includes("lint/style/noRestrictedImports") ? name : undefined;
}

describe("the rings of the architecture", () => {
  it.each(FORBIDDEN)("does not let %s import %s", (file, specifier) => {
    expect(restricted).toContain(`${file} ${specifier}`);
  });

  it.each(ALLOWED)("lets %s import %s", (file, specifier) => {
    expect(restricted).not.toContain(`${file} ${specifier}`);
  });
});
