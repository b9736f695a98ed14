import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const FORBIDDEN: readonly (readonly [file: string, specifier: string])[] = [
  ["src/core/grant.ts", "hono"],
  ["src/core/grant.ts", "jose"],
  ["src/core/grant.ts", "zod/mini"],
  ["src/core/grant.ts", "node:crypto"],
  ["src/core/grant.ts", "cloudflare:workers"],
  ["src/core/grant.ts", "../config.ts"],
  ["src/core/grant.ts", "../adapters/signer.ts"],
  ["src/core/grant.ts", "../http/cors.ts"],
  ["src/adapters/signer.ts", "hono"],
  ["src/adapters/signer.ts", "hono/http-exception"],
  ["src/adapters/signer.ts", "../http/cors.ts"],
  ["src/adapters/signer.ts", "../app.ts"],
  ["src/http/cors.ts", "jose"],
  ["src/http/cors.ts", "node:crypto"],
  ["src/http/cors.ts", "../adapters/signer.ts"],
  ["src/http/cors.ts", "../config.ts"],
  ["src/http/cors.ts", "../index.ts"],
  ["src/config.ts", "./adapters/signer.ts"],
  ["src/config.ts", "./http/cors.ts"],
  ["src/config.ts", "hono"],
  ["src/settings/caller-settings.ts", "../adapters/signer.ts"],
  ["src/settings/caller-settings.ts", "../config.ts"],
  ["src/settings/caller-settings.ts", "hono"],
  ["src/app.ts", "./adapters/signer.ts"],
  ["src/app.ts", "./settings/caller-settings.ts"],
  ["src/app.ts", "./config.ts"],
];

const ALLOWED: readonly (readonly [file: string, specifier: string])[] = [
  ["src/core/grant.ts", "./coze-scope.ts"],
  ["src/adapters/signer.ts", "../core/grant.ts"],
  ["src/adapters/signer.ts", "./sealing.ts"],
  ["src/adapters/signer.ts", "jose"],
  ["src/http/cors.ts", "../core/grant.ts"],
  ["src/http/cors.ts", "hono"],
  ["src/config.ts", "./core/grant.ts"],
  ["src/config.ts", "./settings/caller-settings.ts"],
  ["src/settings/caller-settings.ts", "../core/grant.ts"],
  ["src/app.ts", "./http/cors.ts"],
  ["src/index.ts", "./adapters/signer.ts"],
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
  it.each(FORBIDDEN)("do not let %s import %s", (file, specifier) => {
    expect(restricted).toContain(`${file} ${specifier}`);
  });

  it.each(ALLOWED)("let %s import %s", (file, specifier) => {
    expect(restricted).not.toContain(`${file} ${specifier}`);
  });
});
