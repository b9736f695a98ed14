import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../tools/lib/sha256.ts";
import { readSnippets, type Snippet } from "../support/readme-snippets.ts";
import { type ExampleService, ROOT, run, startService } from "./examples/service.ts";

const KEY = `ctw_${"k".repeat(43)}`;

/** Where each snippet is run. In Chromium: test/browser/readme.test.ts and chat-sdk.test.ts. */
const SNIPPETS = [
  "A page, html: Chromium",
  "A page, js: Chromium",
  "Web Chat, html: Chromium",
  "Web Chat, jsx: Chromium",
  "`@coze/api` in Node.js, js: here",
  "Python and Go, python: nowhere",
  "Python and Go, go: nowhere",
  "A script or a backend, sh: here",
  "A script or a backend, sh: here",
  "An OAuth library, js: here",
];

let service: ExampleService;
let folder: string;
let snippets: readonly Snippet[];

beforeAll(async () => {
  service = await startService([
    { name: "nightly-report", key_sha256: sha256Hex(KEY) },
    { name: "visitors", anonymous: true },
  ]);
  folder = mkdtempSync(join(tmpdir(), "readme-"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  copyFileSync(join(ROOT, "examples/node/package.json"), join(folder, "package.json"));
  writeFileSync(join(folder, "client.js"), await (await fetch(new URL("client.js", service.tokenUrl))).text());
  snippets = await readSnippets("Call it");
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await service[Symbol.asyncDispose]();
});

function snippetsBelow(heading: string): readonly string[] {
  return snippets
    .filter((snippet) => snippet.heading === heading)
    .map(({ code }) =>
      code
        .replaceAll("https://token.example.com/", service.tokenUrl)
        .replaceAll("https://token.example.com", new URL(service.tokenUrl).origin)
        .replaceAll("https://api.coze.cn", service.cozeApi),
    );
}

async function runNode(code: string): Promise<string> {
  const file = join(folder, "snippet.js");
  writeFileSync(file, code);
  const { code: status, stdout, stderr } = await run([process.execPath, file], { API_KEY: KEY });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

describe("the section Call it of README.md", () => {
  it("lists every snippet of README.md, Call it, with the test that runs it", async () => {
    expect(snippets.map(({ heading, language }) => `${heading}, ${language}`)).toEqual(
      SNIPPETS.map((line) => line.replace(/: \w+$/, "")),
    );
  });

  it("marks in README.md the snippets that no test runs, and no other", async () => {
    const readme = await readFile(join(ROOT, "README.md"), "utf8");
    const sections = readme.split(/\n##+ /);
    const unmarked = sections.filter((text) => !text.includes("(Not covered by tests:"));
    for (const line of SNIPPETS) {
      const [, heading = "", where] = /^(.+), \w+: (\w+)$/.exec(line) ?? [];
      expect
        .soft(
          unmarked.some((text) => text.startsWith(`${heading}\n`)),
          line,
        )
        .toBe(where !== "nowhere");
    }
  });

  it("gets tokens with the curl lines of README.md", async () => {
    const blocks = snippetsBelow("A script or a backend");
    const printed = await Promise.all(blocks.map((code) => run(["bash", "-euc", code], { API_KEY: KEY })));
    const tokens = printed.map(({ stdout }) => stdout.match(/"access_token":"czs_/g)?.length);
    expect(tokens).toEqual([3, 1]);
  });

  it("gets tokens with the @coze/api program of README.md", async () => {
    const [code = ""] = snippetsBelow("`@coze/api` in Node.js");
    expect(await runNode(code)).toContain("user_id");
  });

  it("discovers the token endpoint with the openid-client program of README.md", async () => {
    const [code = ""] = snippetsBelow("An OAuth library");
    // The library wants https, and this Worker is on loopback.
    const allowed = code.replace(
      '{ algorithm: "oauth2" }',
      '{ algorithm: "oauth2", execute: [client.allowInsecureRequests] }',
    );
    const printed = await runNode(`${allowed}\nconsole.log(access_token.slice(0, 4), expires_in > 0);`);
    expect(printed).toBe("czs_ true\n");
  });
});
