import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { commandsIn, readPage, readSnippets } from "../support/readme-snippets.ts";
import { ROOT } from "./examples/service.ts";

const SERVICE = "test/tools/readme-service.test.ts";
const SETTINGS = "test/tools/readme-settings.test.ts";
const TERMINAL = "test/tools/readme-commands.slow.test.ts";
const PAGES = "test/browser/readme.test.ts"; // in Chromium
const CHAT = "test/browser/chat-sdk/page.ts"; // in Chromium
const MAP = "test/tools/readme-map.test.ts";
const CI = ".ci/run";

/** Runs nowhere, and README.md says so. */
const NOWHERE = "nowhere";
/** Needs an account, and README.md says so. A file beside it runs as much as needs none, such as the dry run. */
const ACCOUNT = "account";

type Entry = readonly [name: string, ...places: [string, ...string[]]];

/** Where each snippet of README.md is run: by its heading and language, in their order. */
const SNIPPETS: readonly Entry[] = [
  ["coze-token-worker, sh", SERVICE],
  ["coze-token-worker, json", SERVICE],
  ["Try it, sh", TERMINAL],
  ["Try it, sh", TERMINAL],
  ["Try it, text", TERMINAL],
  ["Who may call, toml", SETTINGS],
  ["A page, html", PAGES],
  ["A page, js", PAGES],
  ["Web Chat, html", PAGES],
  ["Web Chat, jsx", CHAT],
  ["`@coze/api` in Node.js, js", SERVICE],
  ["Python and Go, python", NOWHERE],
  ["Python and Go, go", NOWHERE],
  ["A script or a backend, sh", SERVICE],
  ["A script or a backend, sh", SERVICE],
  ["An OAuth library, js", SERVICE],
  ["Deploy, sh", ACCOUNT],
  ["Deploy, sh", ACCOUNT, TERMINAL],
  ["Deploy, sh", TERMINAL],
  ["With the button, sh", SERVICE],
  ["A custom domain, sh", SERVICE],
  ["Scope, toml", SETTINGS],
  ["Scope, json", SETTINGS],
  ["Errors, json", SERVICE],
  ["Errors, sh", SERVICE],
  ["Map, ", MAP],
];

/** Where each command is run that stands in README.md between words, or in the comment of a snippet. */
const COMMANDS: readonly Entry[] = [
  ["npm run keygen -- nightly-report", SERVICE],
  ["npm start", TERMINAL],
  ["npm start -- --fresh", TERMINAL],
  ["npm start -- --emulator", TERMINAL],
  ["npm start -- --json", TERMINAL],
  ["npm start -- --callers callers.json", TERMINAL],
  ["npm start -- --help", TERMINAL],
  ["curl -O https://token.example.com/client.js", SERVICE],
  ["npm run keygen", SERVICE], // with a name
  ["npm run deploy -- --dry-run", TERMINAL],
  ["secret put", ACCOUNT, TERMINAL],
  ['--env=""', ACCOUNT, TERMINAL],
  ["npm run build", TERMINAL],
  ["npm run deploy", ACCOUNT, TERMINAL],
  ["npm run deploy -- --env staging", ACCOUNT, TERMINAL],
  ["--env production", ACCOUNT, TERMINAL],
  ["--env", ACCOUNT, TERMINAL],
  ["wrangler secret put", ACCOUNT, TERMINAL],
  ["npm ci && npm test", CI],
];

let readme: string;

beforeAll(async () => {
  readme = await readPage();
});

describe("README.md", () => {
  it("lists every snippet of README.md with the test that runs it", async () => {
    const snippets = (await readSnippets()).map(({ heading, language }) => `${heading}, ${language}`);
    expect(snippets).toEqual(SNIPPETS.map(([name]) => name));
  });

  it("lists every command between the words of README.md with the test that runs it", () => {
    expect(commandsIn(readme)).toEqual(COMMANDS.map(([name]) => name));
  });

  it("runs the snippets and commands of README.md from tests that take them from there", async () => {
    const places = new Set([...SNIPPETS, ...COMMANDS].flatMap(([, ...where]) => where));
    const files = [...places].filter((place) => place !== NOWHERE && place !== ACCOUNT);
    for (const file of files) {
      const source = await readFile(join(ROOT, file), "utf8");
      expect.soft(source, file).toMatch(file === CI ? /^npm ci\n.*^npm test /ms : /support\/readme-snippets\.ts"/);
    }
  });

  it("says in README.md which snippets no test runs, and of no other", () => {
    const unmarked = sections("#+").filter((text) => !text.includes("(Not covered by tests:"));
    for (const [name, ...places] of SNIPPETS) {
      const heading = name.replace(/, \w*$/, "");
      const isUnmarked = unmarked.some((text) => text.startsWith(`${heading}\n`));
      expect.soft(isUnmarked, name).toBe(!places.includes(NOWHERE));
    }
  });

  it("says in README.md at the head of a section that it needs an account", async () => {
    const marked = sections("##").filter((text) => /^.+\n\nThis needs a Cloudflare account/.test(text));
    const [commands, snippets] = [marked.flatMap(commandsIn), await readSnippets()];
    for (const [index, [name, ...places]] of SNIPPETS.entries()) {
      if (places.includes(ACCOUNT)) expect.soft(marked.join("\n"), name).toContain(snippets[index]?.code);
    }
    for (const [command, ...places] of COMMANDS) {
      if (places.includes(ACCOUNT)) expect.soft(commands).toContain(command);
    }
  });
});

function sections(marks: string): readonly string[] {
  return readme.split(new RegExp(`(?:^|\n)${marks} `)).slice(1);
}
