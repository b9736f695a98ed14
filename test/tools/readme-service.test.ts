import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandsIn, readCode, readPage } from "../support/readme-snippets.ts";
import { type ExampleService, ROOT, run, startService } from "./examples/service.ts";

/** Where the Worker of the reader is. */
const ADDRESSES = /https:\/\/(token\.example\.com|coze-token-worker\.<your-subdomain>\.workers\.dev)/g;
const TOKEN_LIFE_SECONDS = 900;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

const resources = new AsyncDisposableStack();
let service: ExampleService;
let apiKey: string;
let folder: string;

beforeAll(async () => {
  const { stdout } = await run(["bash", "-euc", await command("npm run keygen -- ")], {});
  const [, key = "", name, digest] =
    /^ {2}(ctw_[\w-]+)$.*^ {2}name = "([\w-]+)"\n {2}key_sha256 = "(\w+)"$/ms.exec(stdout) ?? [];
  apiKey = key;

  const callers = [
    { name, key_sha256: digest, user_prefix: "nightly" },
    { name: "visitors", anonymous: true },
  ];
  service = resources.use(await startService(callers, { ALLOWED_ORIGINS: "https://shop.example.com" }));

  folder = resources.adopt(mkdtempSync(join(tmpdir(), "readme-")), (path) => rmSync(path, { recursive: true }));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  copyFileSync(join(ROOT, "examples/node/package.json"), join(folder, "package.json"));
  await runShell(`cd '${folder}'; ${await command("curl -O ")}`);
});

afterAll(() => resources.disposeAsync());

/** The one command between the words of README.md that begins like this. */
async function command(start: string): Promise<string> {
  const [found, ...others] = commandsIn(await readPage()).filter((each) => each.startsWith(start));
  if (found === undefined || others.length > 0) throw new Error(`README.md must have one command ${start}.`);
  return found;
}

/** With the addresses of what runs here. */
function localized(code: string): string {
  return code
    .replaceAll(ADDRESSES, service.tokenUrl.replace(/\/$/, ""))
    .replaceAll("https://api.coze.cn", service.cozeApi);
}

/** Says to the emulator from which region the app of the service is. */
async function moveApp(audience: string): Promise<void> {
  await runShell("curl -X POST https://token.example.com/");
  const [exchange] = await service.coze.exchanges();
  const app = `${service.cozeApi}/emulator/apps/${exchange?.assertion?.claims["iss"]}`;
  const { status } = await fetch(app, { method: "PATCH", body: JSON.stringify({ audience }) });
  expect(status).toBe(200);
}

async function runShell(code: string): Promise<string> {
  const { code: status, stdout, stderr } = await run(["bash", "-euc", localized(code)], { API_KEY: apiKey });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return stdout;
}

async function runNode(code: string): Promise<string> {
  const file = join(folder, "snippet.js");
  writeFileSync(file, localized(code));
  const { code: status, stdout, stderr } = await run([process.execPath, file], { API_KEY: apiKey });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

function tokensIn(printed: string): readonly string[] {
  return printed.match(/czs_[\w-]+/g) ?? [];
}

describe("the commands and programs of README.md with a running service", () => {
  it("responds to the first curl line of README.md as the JSON below it shows", async () => {
    const [[curl], [json]] = await Promise.all([
      readCode("coze-token-worker", "sh"),
      readCode("coze-token-worker", "json"),
    ]);
    const [response, shown] = [JSON.parse(await runShell(curl)), JSON.parse(json)];
    expect(Object.keys(response)).toEqual(Object.keys(shown));
    expect(shown).toEqual({ ...response, access_token: expect.any(String), expires_in: expect.any(Number) });
    for (const { access_token, expires_in } of [response, shown]) {
      expect(access_token).toMatch(/^czs_[\w-]+…?$/);
      expect(new Date(expires_in * 1000).getUTCFullYear()).toBeGreaterThan(2023);
    }
    expect(response.expires_in).toBeCloseTo(Date.now() / 1000 + TOKEN_LIFE_SECONDS, -2);
  });

  it("gets tokens with the curl lines of README.md, and with the API key that keygen prints", async () => {
    const [open, closed = ""] = await readCode("A script or a backend", "sh");
    const [session, user, short, ...more] = tokensIn(await runShell(open));
    const [ofCaller, ...others] = tokensIn(await runShell(closed));
    expect(new Set([session, user, short, ofCaller])).not.toContain(undefined);
    expect(new Set([session, user, short, ofCaller]).size).toBe(4);
    expect([...more, ...others]).toEqual([]);
  });

  it("copies the module for pages with the curl line of README.md", async () => {
    const served = await fetch(new URL("client.js", service.tokenUrl));
    expect(readFileSync(join(folder, "client.js"), "utf8")).toBe(await served.text());
  });

  it("gets tokens with the @coze/api program of README.md", async () => {
    const [code] = await readCode("`@coze/api` in Node.js", "js");
    expect(await runNode(code)).toContain("user_id");
  });

  it("discovers the token endpoint with the openid-client program of README.md", async () => {
    const [code] = await readCode("An OAuth library", "js");
    // The library wants https, and this Worker is on loopback.
    const allowed = code.replace(
      '{ algorithm: "oauth2" }',
      '{ algorithm: "oauth2", execute: [client.allowInsecureRequests] }',
    );
    const printed = await runNode(`${allowed}\nconsole.log(access_token.slice(0, 4), expires_in > 0);`);
    expect(printed).toBe("czs_ true\n");
  });

  it("gets a token and the health of the service with the last curl lines of Deploy", async () => {
    const [[token], [health]] = await Promise.all([
      readCode("With the button", "sh"),
      readCode("A custom domain", "sh"),
    ]);
    expect(tokensIn(await runShell(token))).toHaveLength(1);
    expect(JSON.parse(await runShell(health))).toMatchObject({ status: "ok", access: "open" });
  });

  it("responds with the error of README.md when the app is from the other region", async () => {
    const [json] = await readCode("Errors", "json");
    const shown = JSON.parse(json);
    await moveApp("api.coze.com");
    const response = await fetch(service.tokenUrl, { method: "POST", headers: { "X-User-ID": "of the other region" } });
    await moveApp("api.coze.cn");

    const body = await response.json<typeof shown>();
    const changing = { request_id: expect.stringMatching(UUID), coze: { ...shown.coze, log_id: expect.any(String) } };
    expect({ status: response.status, body }).toEqual({ status: 502, body: { ...shown, ...changing } });
    expect(shown).toMatchObject(changing);
    expect(propertiesOf(body)).toEqual(propertiesOf(shown));
  });

  it("shows with the curl line of Errors what a page of a foreign origin cannot see", async () => {
    const [curl] = await readCode("Errors", "sh");
    const printed = await runShell(curl);
    expect(printed).toMatch(/^HTTP\/1\.1 403 .*"error":"access_denied"/s);
    expect(printed).not.toMatch(/^access-control-allow-origin:/im);
  });
});

/** The names of the properties of an error, and of what Coze said, in their order. */
function propertiesOf(error: { readonly coze: object }): readonly (readonly string[])[] {
  return [Object.keys(error), Object.keys(error.coze)];
}
