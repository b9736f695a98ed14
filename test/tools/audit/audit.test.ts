import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import { startWorkerd } from "../../../tools/workerd/workerd.ts";
import { buildScript, type CozeApp, startCozeApp } from "../../support/deployed-worker.ts";

const API_KEY = "ctw_K5pXz0m3Qy7vT1nB8cRf2wJd6hGs4aLe9uYiOxPqVtE";
const NEW = { kid: "new", ...createKeyPair() };
const CALLERS = JSON.stringify([
  { name: "script", key_sha256: sha256Hex(API_KEY) },
  { name: "team", key_sha256: sha256Hex(`team ${API_KEY}`), user_prefix: "team" },
]);

const resources = new AsyncDisposableStack();
let folder: string;
let script: string;
let app: CozeApp;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "coze-token-worker-audit-"));
  resources.defer(() => rm(folder, { recursive: true }));
  script = await buildScript(resources);
  app = await startCozeApp(resources);
  await app.coze.addKey(app.settings.CLIENT_ID, NEW.kid, NEW.publicKey);
});

afterAll(() => resources.disposeAsync());

type Line = Readonly<Record<string, string>>;
type Issued = { readonly line: Line; readonly response: string };

/** What a Worker with these settings logs about a request for Ada's token, and its response. */
async function issue(settings: Readonly<Record<string, string>>, key = API_KEY): Promise<Issued> {
  const worker = await startWorkerd({ script, vars: { ...app.settings, ...settings, CALLERS } });
  try {
    const headers = { Authorization: `Bearer ${key}`, "X-User-ID": "ada", "X-Request-Id": "trace-42" };
    const response = await fetch(worker.url, { method: "POST", headers });
    expect(response.status).toBe(200);
    const find = () => worker.logLines().find((entry) => entry.includes("token_request"));
    const line = await vi.waitUntil(find);
    return { line: JSON.parse(line.slice(line.indexOf("{"))), response: await response.text() };
  } finally {
    await worker.close();
  }
}

async function save(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** Runs `npm run audit --` with these arguments and this on standard input. */
async function audit(args: readonly string[], input = "") {
  const child = spawn(process.execPath, ["tools/audit/main.ts", ...args]);
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, stderr, code: await exited };
}

const ROTATED = { KID: NEW.kid, PRIVATE_KEY: NEW.privateKey };

describe("npm run audit", () => {
  it("computes the digests that the Worker logs for a user, before and after a rotation", async () => {
    const before = (await issue({})).line["user"];
    const after = (await issue(ROTATED)).line["user"];
    expect(after).not.toBe(before);

    const pem = (key: string) => key.replaceAll("\n", "\\n");
    const old = app.settings.PRIVATE_KEY;
    const vars = await save("rotation.vars", `PRIVATE_KEY="${pem(NEW.privateKey)}"\nPREVIOUS_PRIVATE_KEY="${old}"\n`);
    const during = await audit(["user", "ada", "--vars-file", vars]);
    expect(during.stdout).toContain(`user ${after}  (PRIVATE_KEY of ${vars})\nuser ${before}  (PREVIOUS_PRIVATE_KEY`);
    expect(during.stdout).toContain(`npx wrangler tail --env="" --format json --search=${after}\n`);
    expect(during.stdout).toContain(`user regex ^(${after}|${before})$`);
    expect(during.stdout).toContain(`WHERE blob3 IN ('${after}', '${before}')`);

    const keyFile = await save("old_private_key.pem", old);
    const later = await audit(["user", "ada", "--vars-file", join(folder, "none"), "--key-file", keyFile]);
    expect(later.stdout).toContain(`user equals ${before}\n`);
  });

  it("reads the keys of the environment that it is asked about", async () => {
    const { stderr, code } = await audit(["--env", "nowhere", "user", "ada"]);
    expect(stderr).toMatch(/no private key in \.dev\.vars\.nowhere/);
    expect(code).toBe(1);
  });

  it("finds a user of a caller with a prefix by the name of the session", async () => {
    const { line } = await issue({}, `team ${API_KEY}`);
    const keyFile = await save("key.pem", app.settings.PRIVATE_KEY);
    expect((await audit(["user", "team:ada", "--key-file", keyFile])).stdout).toContain(`user ${line["user"]} `);
  });

  it("computes the digest that the Worker logs for a token, from a file, a response or standard input", async () => {
    const { line, response } = await issue({});
    const { access_token: token } = JSON.parse(response);
    const outputs = [
      await audit(["token", await save("token.txt", `${token}\n`)]),
      await audit(["token", await save("response.json", response)]),
      await audit(["--env", "staging", "token", "-"], token),
    ];
    for (const { stdout } of outputs) {
      expect(stdout).toContain(`token ${line["token"]}\n`);
      expect(stdout).toContain(`token equals ${line["token"]}\n`);
      expect(stdout).not.toContain(token);
    }
    expect(outputs[2]?.stdout).toContain(`npx wrangler tail --env=staging --format json --search=${line["token"]}\n`);
  });

  it("prints the queries for a request id as the Worker logs it", async () => {
    const { line } = await issue({});
    expect((await audit(["request", "trace-42"])).stdout).toContain(`request_id equals ${line["request_id"]}\n`);
  });

  it("prints commands that a shell passes on as they are meant", async () => {
    const { stdout } = await audit(["--env", "of $USER's", "request", "--", "-foo"]);
    const command = /^ {2}npx (wrangler tail .*)$/m.exec(stdout)?.[1];
    const words = execFileSync("sh", ["-c", `printf '%s\\n' ${command}`], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(words).toEqual(["wrangler", "tail", "--env=of $USER's", "--format", "json", "--search=-foo"]);
  });

  it.each<[string, readonly string[], string]>([
    ["a user without a key", ["user", "ada", "--vars-file", "none"], "There is no private key in none."],
    [
      "a key file that is not there",
      ["user", "ada", "--key-file", "none.pem"],
      "There is no file none.pem that can be read.",
    ],
    ["a folder as a key file", ["user", "ada", "--key-file", "src"], "There is no file src that can be read."],
    ["a folder as the file of a token", ["token", "src"], "There is no such file."],
    ["a key that is none", ["user", "ada", "--key-file", "package.json"], "package.json is not a PEM private key."],
    ["an empty user id", ["user", ""], "No user has this id"],
    ["a token as the argument", ["token", "czs_hunter2"], "There is no such file."],
    ["a file without a token", ["token", "package.json"], "It must hold a token alone"],
    ["a broken request id", ["request", "a b"], "No request has this id"],
  ])("refuses %s with one sentence", async (_what, args, sentence) => {
    const { stdout, stderr, code } = await audit(args);
    expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
    expect(stderr).toMatch(/^.*\n$/);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain("czs_hunter2");
  });
});
