import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseEnv, stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runningProcesses } from "./processes.ts";
import { createProject } from "./project.ts";
import { type StartedService, send, startService } from "./service.ts";

describe("npm start in a fresh clone", () => {
  const project = createProject();
  let service: StartedService;

  beforeAll(async () => {
    service = await startService(project);
  });

  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    project[Symbol.dispose]();
  });

  it("says first what npm start does, and when ready where the tokens come from and what to try", () => {
    const { url, emulator } = service;

    expect(service.output().split("Stop: Ctrl-C\n")[0]).toBe(`Starting the Worker and a Coze emulator for it ...

Ready. ${url} hands out tokens of a Coze emulator (${emulator}).

  curl -X POST ${url} -H "X-User-ID: user123"

Edits of wrangler.toml apply when you save the file, callers too unless they come from --callers.
See what reached the emulator: curl ${emulator}/emulator/exchanges
Use the real Coze: put your settings into .dev.vars, as .dev.vars.example shows, and start again.
`);
  });

  it("prints a curl line to copy that gets a token", () => {
    const line = service.output().match(/^ {2}(curl .*)$/m)?.[1];
    const output = execFileSync("sh", ["-c", `${line} --silent --write-out '\\n%{http_code}'`], { encoding: "utf8" });
    const [body = "", status] = output.split("\n");

    expect(status).toBe("200");
    expect(JSON.parse(body)).toEqual({
      access_token: expect.stringMatching(/^czs_/),
      expires_in: expect.closeTo(Date.now() / 1000 + 900, -2),
      token_type: "Bearer",
    });
  });

  it("serves one user one token from the cache, and another user another", async () => {
    const first = await service.requestToken("ann");
    const second = await service.requestToken("ann");
    const other = await service.requestToken("bob");

    expect([first.status, second.status, other.status]).toEqual([200, 200, 200]);
    expect(second.body["access_token"]).toBe(first.body["access_token"]);
    expect(second.cacheStatus).toContain("; hit");
    expect(other.body["access_token"]).not.toBe(first.body["access_token"]);
    expect(other.cacheStatus).not.toContain("hit");
  });

  it("refuses foreign hosts and pages of foreign origins with the emulator, as with real tokens", async () => {
    const host = await send(service.url, { Host: "evil.example" });
    const origin = await send(service.url, { Origin: "https://evil.example" });

    expect([host.status, origin.status]).toEqual([403, 403]);
  });

  it("prints a curl line that shows one exchange for each user, with the user's session", async () => {
    await service.requestToken("eve@example.com");
    await service.requestToken("Dan 2");
    await service.requestToken("eve@example.com");

    const line = service.output().match(/(curl .*\/emulator\/exchanges)$/m)?.[1];
    const { exchanges } = JSON.parse(execFileSync("sh", ["-c", `${line} --silent`], { encoding: "utf8" }));
    const sessions = exchanges.map((exchange: SeenExchange) => exchange.assertion.claims.session_name);

    expect(sessions.filter((name: string) => name === "eve@example.com")).toHaveLength(1);
    expect(sessions.filter((name: string) => name === "Dan 2")).toHaveLength(1);
  });

  it("prints one readable line for each request, and nothing from wrangler", async () => {
    const setActive = (active: boolean) =>
      fetch(`${service.emulator}/emulator/apps/1000000000000000001`, {
        method: "PATCH",
        body: JSON.stringify({ active }),
      });
    await setActive(false);
    const refused = await service.requestToken("fay");
    await setActive(true);

    await service.says(/ {2}POST \/ {2}502 {2}anyone {2}\d+ ms {2}upstream_rejected: Coze denies the app access\..*\n/);
    expect(refused.status).toBe(502);
    const [, lines = ""] = service.output().split("Stop: Ctrl-C\n\n");
    for (const line of lines.trimEnd().split("\n")) expect(line).toMatch(/^\d\d:\d\d:\d\d {2}POST \/ {2}\d{3} {2}/);
    expect(service.output()).toBe(stripVTControlCharacters(service.output()));
  });

  it("stores the private key of the emulator's app in one file that only this account can read", async () => {
    await service.requestToken("gus");
    const [folder = "", ...others] = project.foldersLeft();
    const vars = join(project.temp, folder, "vars");
    const { PRIVATE_KEY = "" } = parseEnv(readFileSync(vars, "utf8"));
    const keyLines = PRIVATE_KEY.split("\n").filter((line) => /^[\w+/=]{20,}$/.test(line));
    const visible =
      service.output() +
      runningProcesses()
        .map(({ command }) => command)
        .join("\n");

    expect(others).toEqual([]);
    expect(statSync(join(project.temp, folder)).mode & 0o777).toBe(0o700);
    expect(statSync(vars).mode & 0o777).toBe(0o600);
    expect(keyLines.length).toBeGreaterThan(20);
    for (const secret of ["PRIVATE KEY", ...keyLines]) expect(visible).not.toContain(secret);
  });

  it("writes nothing into the project during npm start but what git ignores", () => {
    const written = readdirSync(project.root)
      .filter((name) => !["node_modules", "docs", "src", "tools"].includes(name))
      .sort();

    expect(written).toEqual([".wrangler", "dist", "package.json", "tsconfig.json", "wrangler.toml"]);
  });
});

type SeenExchange = { readonly assertion: { readonly claims: { readonly session_name?: string } } };
