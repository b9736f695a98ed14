import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../tools/lib/sha256.ts";
import { type ExampleService, ROOT, run, startService } from "./examples/service.ts";

const KEY = `ctw_${"k".repeat(43)}`;
const README_ANCHOR = "### Coming from the single-file Worker";

const document = readFileSync(join(ROOT, "docs/migrating.md"), "utf8");
const programs = Array.from(document.matchAll(/^( *)```js\n(.*?)^ *```$/gms), ([, indent = "", code = ""]) =>
  code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
);

const resources = new AsyncDisposableStack();
let open: ExampleService;
let closed: ExampleService;
let folder: string;

beforeAll(async () => {
  open = resources.use(await startService());
  closed = resources.use(await startService([{ name: "server", key_sha256: sha256Hex(KEY) }]));
  folder = resources.adopt(mkdtempSync(join(tmpdir(), "migrating-")), (path) => rmSync(path, { recursive: true }));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  copyFileSync(join(ROOT, "examples/node/package.json"), join(folder, "package.json"));
  writeFileSync(join(folder, "client.js"), await (await fetch(new URL("client.js", open.tokenUrl))).text());
});

afterAll(() => resources.disposeAsync());

/** Runs a program of the page against a service, with more lines after it. */
async function runProgram(code: string | undefined, service: ExampleService, after: string, apiKey = KEY) {
  const file = join(folder, "program.js");
  const program = code
    ?.replaceAll("https://token.example.com/", service.tokenUrl)
    .replaceAll("https://api.coze.cn", service.cozeApi);
  writeFileSync(file, `${program}\n${after}`);
  return run([process.execPath, file], { API_KEY: apiKey });
}

async function sessions(service: ExampleService): Promise<readonly unknown[]> {
  return (await service.coze.exchanges()).map(({ assertion }) => assertion?.claims["session_name"]);
}

describe("docs/migrating.md", () => {
  it("replaces a personal access token by the program of docs/migrating.md", async () => {
    expect(programs).toHaveLength(2);
    const { stdout, stderr } = await runProgram(programs[0], open, "console.log(await coze.users.me());");
    expect(stderr).toBe("");
    expect(stdout).toContain("user_id");
  });

  it("lets a token server ask the service for its users, with the session names that it had", async () => {
    const after = `const { access_token, expires_in } = await getCozeToken("user123");
      console.log(access_token.slice(0, 4), expires_in > Date.now() / 1000);`;
    const { stdout, stderr } = await runProgram(programs[1], closed, after);
    expect({ stdout, stderr }).toEqual({ stdout: "czs_ true\n", stderr: "" });
    expect(await sessions(closed)).toEqual(["user123"]);

    const refused = await runProgram(programs[1], closed, "await getCozeToken('user123');", "another");
    expect(refused.stderr).toMatch(/Error: invalid_client: .+ \([\w-]{36}\)/);
  });

  it("goes on with the session of the single-file Worker for a client that names it", async () => {
    const [, header = ""] = document.match(/send `(X-User-ID: .+?)`/) ?? [];
    const [name = "", value = ""] = header.split(": ");
    await fetch(open.tokenUrl, { method: "POST", headers: { [name]: value } });
    expect((await sessions(open)).at(-1)).toBe("default-session");
  });

  it("keeps in README.md the heading that older links lead to", () => {
    expect(readFileSync(join(ROOT, "README.md"), "utf8")).toContain(`\n${README_ANCHOR}\n`);
  });
});
