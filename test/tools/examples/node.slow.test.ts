import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ExampleService, ROOT, run, startService } from "./service.ts";

/** A token that is younger is not replaced: a new one that is refused lacks a permission. */
const MIN_REPLACED_AGE_MS = 10_000;

describe("examples/node", () => {
  let service: ExampleService;
  let folder: string;

  beforeAll(async () => {
    service = await startService();
    folder = mkdtempSync(join(tmpdir(), "examples-node-"));
    for (const file of ["chat.js", "package.json"]) copyFileSync(join(ROOT, "examples/node", file), join(folder, file));
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    // As `curl -O …/client.js` does.
    writeFileSync(join(folder, "client.js"), await (await fetch(new URL("client.js", service.tokenUrl))).text());
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await service[Symbol.asyncDispose]();
  });

  const chat = (env: Readonly<Record<string, string>>) =>
    run([process.execPath, join(folder, "chat.js"), "Who am I?"], {
      TOKEN_URL: service.tokenUrl,
      COZE_API: service.cozeApi,
      ...env,
    });

  it("names the app's owner in examples/node, and chats in the user's session", async () => {
    const { code, stdout, stderr } = await chat({ USER_ID: "ann" });

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`The app belongs to 1127896425345.
This is the Coze emulator. Your session is ann. You said: Who am I?
`);
  });

  it("replaces a rejected token in examples/node with one new one", async () => {
    await chat({ USER_ID: "eve" });
    await sleep(MIN_REPLACED_AGE_MS);
    await service.coze.revoke("eve");

    const { code, stdout, stderr } = await chat({ USER_ID: "eve" });

    const sessions = (await service.coze.exchanges()).map(({ assertion }) => assertion?.claims["session_name"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Your session is eve.");
    expect(sessions.filter((name) => name === "eve")).toHaveLength(2);
  });

  it("ends examples/node with the service's description and request id when there is no token", async () => {
    const { code, stdout, stderr } = await chat({ USER_ID: "x".repeat(129) });

    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/X-User-ID.* \(request id [\w-]{36}\)\n$/);
  });
});
