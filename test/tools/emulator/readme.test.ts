import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningEmulator, startEmulator } from "../../../tools/emulator/server.ts";
import { emulatorFile, keyPair } from "./harness.ts";

const README_URL = "http://127.0.0.1:4000";

describe("the README", () => {
  let emulator: RunningEmulator;
  let readme: string;

  beforeAll(async () => {
    emulator = await startEmulator();
    readme = (await readFile(emulatorFile("README.md"), "utf8")).replaceAll(README_URL, emulator.url);
  });
  afterAll(() => emulator.close());

  it("runs the worked example of the emulator's README", async () => {
    const folder = await mkdtemp(join(tmpdir(), "emulator-readme-"));
    await writeFile(join(folder, "private_key.pem"), keyPair.privateKey);
    await writeFile(join(folder, "public_key.pem"), keyPair.publicKey);
    const example = readme.match(/```js\n(.*?)```/s)?.[1] ?? "";

    // A program from stdin finds its packages from the working directory, so only the key files need another folder.
    const child = spawn(process.execPath, ["--input-type=module"], { cwd: emulatorFile("../.."), stdio: "pipe" });
    child.stdin.end(example.replaceAll(/"(\w+_key\.pem)"/g, `"${folder}/$1"`));
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    await rm(folder, { recursive: true });

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/access_token: 'czs_[\w-]{64}',\s+expires_in: \d{10},\s+token_type: 'Bearer'/);
    expect(stdout).toContain("user_name: 'owner_1127900106117'");
    expect(stdout).toMatch(/This is the Coze emulator. Your session is user_2222. You said: Hello$/);
  });

  it("runs the curl lines of the emulator's README", async () => {
    const lines = readme.match(/^curl .+$/gm) ?? [];
    const statuses: number[] = [];
    for (const line of lines) statuses.push(await fetchStatus(line));

    expect(lines).toHaveLength(13);
    expect(statuses).toEqual([200, ...Array(11).fill(201), 200]);
  });
});

/** Does what curl does with the few options that the README uses. */
async function fetchStatus(line: string): Promise<number> {
  const [, method, url = "", body] = line.match(/^curl (?:-X (\w+) )?(\S+)(?: -d '(.+)')?$/) ?? [];
  const response = await fetch(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    ...(body === undefined ? {} : { body }),
  });
  return response.status;
}
