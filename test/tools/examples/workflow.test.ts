import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import { createIssuers } from "../../support/issuer-server.ts";
import { RECIPES } from "../../support/recipes.ts";
import { serve } from "../../support/stand-in-server.ts";
import {
  BODIES_WITHOUT_TOKEN,
  type ExampleService,
  expectNoSecretIn,
  ROOT,
  type Run,
  run,
  startService,
  startStandIn,
} from "./service.ts";

const REQUEST_TOKEN = "the-request-token-of-this-job";
const JOB = { repository: "your-org/your-repo", ref: "refs/heads/main", event_name: "push" };

type Step = {
  readonly name: string;
  readonly id?: string;
  readonly shell: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run: string;
};
type Job = {
  readonly permissions: object;
  readonly env: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
};
type Server = Awaited<ReturnType<typeof serve>>;

let text: string;
let job: Job;
let issuers: Server;
let issuer: TestIssuer;
let service: ExampleService;

beforeAll(async () => {
  text = await readFile(join(ROOT, "examples/workflow.yml"), "utf8");
  job = parse(text).jobs.report;
  issuers = await serve(createIssuers());
  issuer = await createTestIssuer({ issuersUrl: issuers.url });
  service = await startService([{ ...RECIPES["GitHub Actions"], issuer: issuer.issuer }]);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await issuers.close();
});

describe("examples/workflow.yml", () => {
  it("repeats in workflow.yml the caller of docs/callers.md", async () => {
    const docs = await readFile(join(ROOT, "docs/callers.md"), "utf8");
    const [, recipe = ""] = docs.split("\n### GitHub Actions\n")[1]?.match(/```toml\n(.*?)\n```/s) ?? [];
    const commented = recipe.replaceAll(/^/gm, "#   ");

    expect(recipe).toContain("[[vars.CALLERS]]");
    expect(text).toContain(commented);
  });

  it("gives the job of workflow.yml an identity, and no secret", () => {
    expect(job.permissions).toEqual({ "id-token": "write" });
    expect(text).not.toMatch(/\bsecrets\./);
  });

  it("gets and uses a token in workflow.yml with the job's identity", async () => {
    const { runs, log } = await runJob(JOB);
    const exchanges = await service.coze.exchanges();

    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(log).toMatch(/^Working for 1127896425345\.$/m);
    expect(exchanges.at(-1)?.assertion?.claims).toMatchObject({ session_name: JOB.repository });
  });

  it("shows no JWT and no token of workflow.yml in the log or in arguments", async () => {
    const { runs, log, masked } = await runJob(JOB);

    expect(masked).toEqual([expect.stringMatching(/^eyJ/), expect.stringMatching(/^czs_/)]);
    for (const secret of ["czs_", "eyJ", REQUEST_TOKEN]) expect(log).not.toContain(secret);
    for (const { args } of runs) expectNoSecretIn(args, REQUEST_TOKEN);
  });

  it("ends a workflow.yml job of another branch with the service's description as an annotation", async () => {
    const { runs, log } = await runJob({ ...JOB, ref: "refs/heads/other" });

    expect(runs.map(({ code }) => code)).toEqual([1]);
    expect(log).toMatch(/^::error title=No Coze token: invalid_client::.+\(request id [\w-]{36}\)$/m);
  });

  it.each(BODIES_WITHOUT_TOKEN)("ends the job for status 200 and %j, and masks the JWT alone", async (body) => {
    const { url } = await startStandIn([{ status: 200, body }]);
    const { runs, log, masked } = await runJob(JOB, { ...service, tokenUrl: url });

    expect(runs.map(({ code }) => code)).toEqual([1]);
    expect(masked).toEqual([expect.stringMatching(/^eyJ/)]);
    expect(log).toContain("::error title=No Coze token::Status 200, and a body without one. Is TOKEN_URL right?\n");
  });

  it.each([
    [{ error: "a::b", error_description: "50%\r\n::stop-commands::pwn", request_id: "1\n::add-mask::a" }, "a%3A%3Ab"],
    ["<html>", undefined],
  ])("lets no response begin a command to the runner: %j", async (body, title) => {
    const { url } = await startStandIn([{ status: 401, body }]);
    const { runs, log, masked } = await runJob(JOB, { ...service, tokenUrl: url });

    expect(runs.map(({ code }) => code)).toEqual([1]);
    expect(masked).toHaveLength(1);
    expect(log.match(/^::.*$/gm)).toEqual([
      title === undefined
        ? "::error title=No Coze token::Status 401. Is TOKEN_URL right?"
        : `::error title=No Coze token: ${title}::50%25%0D%0A::stop-commands::pwn (request id 1%0A::add-mask::a)`,
    ]);
  });

  it("lets no name begin a command to the runner", async () => {
    const { url } = await startStandIn([
      { status: 200, body: { data: { nick_name: "Ann\n::add-mask::a ##[group]b" } } },
    ]);
    const { log } = await runJob(JOB, { ...service, cozeApi: url });

    expect(log).toMatch(/^Working for Ann::add-mask::a \[group\]b\.$/m);
  });
});

/** Runs the steps as GitHub does, until one fails. The log is without the lines that name what is to be masked. */
async function runJob(
  claims: Readonly<Record<string, string>>,
  { tokenUrl, cozeApi }: Pick<ExampleService, "tokenUrl" | "cozeApi"> = service,
) {
  const identity = await serve(
    new Hono().get("/identity", async (c) => {
      if (c.req.header("authorization") !== `Bearer ${REQUEST_TOKEN}`) return c.json({}, 401);
      return c.json({ value: await issuer.sign({ ...claims, aud: c.req.query("audience") }) });
    }),
  );
  const folder = mkdtempSync(join(tmpdir(), "examples-job-"));
  const values = new Map([
    ["vars.TOKEN_URL", tokenUrl],
    ["vars.COZE_API", cozeApi],
  ]);

  const runs: Run[] = [];
  for (const step of job.steps) {
    const script = join(folder, "script.sh");
    const output = join(folder, "output");
    writeFileSync(script, step.run);
    writeFileSync(output, "");
    const own = evaluated({ ...job.env, ...step.env }, values);
    const github = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${identity.url}/identity?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
      GITHUB_OUTPUT: output,
    };

    // This is what `shell: bash` means: https://docs.github.com/actions/reference/workflow-syntax-for-github-actions
    const ended = await run(["bash", "--noprofile", "--norc", "-eo", "pipefail", script], { ...own, ...github });
    runs.push(ended);
    if (ended.code !== 0) break;
    for (const [, name, value = ""] of readFileSync(output, "utf8").matchAll(/^(\w+)=(.*)$/gm)) {
      values.set(`steps.${step.id}.outputs.${name}`, value);
    }
  }

  rmSync(folder, { recursive: true });
  await identity.close();
  const lines = runs.flatMap(({ stdout, stderr }) => `${stdout}${stderr}`.split("\n"));
  const masks = lines.filter((line) => line.startsWith("::add-mask::"));
  return {
    runs,
    masked: masks.map((line) => line.replace("::add-mask::", "")),
    log: lines.filter((line) => !masks.includes(line)).join("\n"),
  };
}

/** The variables with their `${{ … }}` replaced. */
function evaluated(env: Readonly<Record<string, string>>, values: ReadonlyMap<string, string>) {
  const evaluate = (value: string) => value.replaceAll(/\$\{\{ ([\w.]+) \}\}/g, (_, name) => values.get(name) ?? "");
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, evaluate(value)]));
}
