import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyPair, startCoze, vars } from "./coze-app.ts";
import { findFreePort, processesOn } from "./processes.ts";
import { createProject, wranglerToml } from "./project.ts";
import { requestToken, runService, startService } from "./service.ts";

const KEY_LINES = keyPair.privateKey.trim().split("\n").slice(1, -1);

/** The Worker stores a token after its response, within a few milliseconds where nothing else runs. */
const STORE_MS = 1000;

describe("a vars file", () => {
  let coze: Awaited<ReturnType<typeof startCoze>>;

  beforeAll(async () => {
    coze = await startCoze();
  });

  afterAll(() => coze.close());

  it("runs the Worker against the endpoint of a vars file, and caches tokens until a run with --fresh", async () => {
    using project = createProject({ ".dev.vars": vars({ TOKEN_ENDPOINT: coze.tokenEndpoint }) });
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}/`;

    const tokens = [];
    for (const args of [[], [], ["--fresh"]]) {
      await using service = runService(project, { args: ["--port", String(port), ...args] });
      await service.says("Ctrl-C");
      tokens.push(await requestToken(url, "ann"));
      await sleep(STORE_MS);

      expect(service.output().split("Stop: Ctrl-C\n")[0]).toBe(`Starting the Worker with the settings of .dev.vars ...

Ready. ${url} hands out tokens of Coze at ${new URL(coze.url).host}, with the settings of .dev.vars.

  curl -X POST ${url} -H "X-User-ID: user123"

Edits of wrangler.toml apply when you save the file, callers too unless they come from --callers.
Edits of .dev.vars apply when you start again.
`);
      for (const secret of ["PRIVATE KEY", ...KEY_LINES]) expect(service.output()).not.toContain(secret);
      expect(project.foldersLeft()).toEqual([]);
    }

    expect(tokens[0]).toMatchObject({ status: 200, body: { token_type: "Bearer" } });
    expect(tokens[1]?.cacheStatus).toContain("; hit");
    expect(tokens[1]?.body).toEqual(tokens[0]?.body);
    expect(tokens[2]?.cacheStatus).toContain("; fwd=miss");
  });

  it("reads a vars file of another name, and further settings from wrangler.toml", async () => {
    using project = createProject({
      "remote.vars": vars({}),
      "wrangler.toml": wranglerToml({ TOKEN_ENDPOINT: coze.tokenEndpoint }),
    });
    await using service = await startService(project, { args: ["--vars-file", "remote.vars"] });

    await service.says(`hands out tokens of Coze at ${new URL(coze.url).host}, with the settings of remote.vars.\n`);
    expect((await service.requestToken("ann")).status).toBe(200);
  });

  it("runs the Worker against api.coze.cn when the vars file names no endpoint", async () => {
    using project = createProject({ ".dev.vars": vars({ TOKEN_ENDPOINT: "" }) });
    await using service = await startService(project);

    await service.says("hands out tokens of Coze at api.coze.cn, with the settings of .dev.vars.\n");
  });

  it.each([
    {
      fault: "nothing in it",
      files: { ".dev.vars": "" },
      problems: [
        ".dev.vars: CLIENT_ID is required",
        ".dev.vars: KID is required",
        ".dev.vars: PRIVATE_KEY is required",
      ],
    },
    {
      fault: "a key of several lines without quotes",
      files: { ".dev.vars": `CLIENT_ID=7\nKID=of-7\nPRIVATE_KEY=${keyPair.privateKey}` },
      problems: [expect.stringMatching(/^\.dev\.vars: PRIVATE_KEY holds its first line only/)],
    },
    {
      fault: "a fault beside one in wrangler.toml",
      files: { ".dev.vars": vars({ TOKEN_DURATION: "abc" }), "wrangler.toml": wranglerToml({ ALLOWED_ORIGINS: "x" }) },
      problems: [
        ".dev.vars: TOKEN_DURATION must be a whole number from 1 to 86399",
        expect.stringMatching(/^wrangler\.toml: ALLOWED_ORIGINS /),
      ],
    },
  ])(
    "reports each issue with its file, and where to look it up, for a vars file with $fault",
    async ({ files, problems }) => {
      using project = createProject(files);
      const port = await findFreePort();

      const { code, stdout, stderr } = await runService(project, { args: ["--port", String(port)] }).ended;
      const [problemText = "", cure] = stderr.split("\n\n");

      expect({ code, stdout, cure }).toEqual({
        code: 1,
        stdout: "Starting the Worker with the settings of .dev.vars ...\n",
        cure: "README.md explains every setting, under Settings; .dev.vars.example shows how to write them down.\n",
      });
      expect(problemText.split("\n")).toEqual(problems);
      for (const line of KEY_LINES) expect(stderr).not.toContain(line);
      expect(processesOn(port)).toEqual([]);
    },
  );

  it("reports issues of wrangler.toml when there is no vars file", async () => {
    using project = createProject({ "wrangler.toml": wranglerToml({ TOKEN_DURATION: "0" }) });

    const { code, stderr } = await runService(project, { args: ["--port", String(await findFreePort())] }).ended;

    expect(code).toBe(1);
    expect(stderr).toMatch(/^wrangler\.toml: TOKEN_DURATION must be a whole number from 1 to 86399\n\n/);
    expect(project.foldersLeft()).toEqual([]);
  });

  it.each([
    { fault: "missing", args: ["--vars-file", "nowhere.vars"], problem: "There is no file ROOT/nowhere.vars." },
    { fault: "a folder", args: [], problem: "ROOT/.dev.vars is a folder, but must be a file of settings." },
    { fault: "no file", args: ["--vars-file", "/dev/null"], problem: "/dev/null cannot be read (not a regular file)." },
    { fault: "a circle of links", args: ["--vars-file", "loop"], problem: "ROOT/loop cannot be read (ELOOP)." },
  ])("refuses in one sentence a vars file that is $fault", async ({ args, problem }) => {
    using project = createProject();
    mkdirSync(join(project.root, ".dev.vars"));
    symlinkSync("loop", join(project.root, "loop"));

    const { code, stdout, stderr } = await runService(project, { args }).ended;

    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(`${problem.replace("ROOT", realpathSync(project.root))}\n`);
  });
});
