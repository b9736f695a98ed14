import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import { createIssuers } from "../../support/issuer-server.ts";
import { RECIPES } from "../../support/recipes.ts";
import { serve } from "../../support/stand-in-server.ts";
import { issuerFor, type Job, REQUEST_TOKEN, runJob } from "../examples/job.ts";
import { type ExampleService, expectNoSecretIn, ROOT, startService } from "../examples/service.ts";

const JOB = { repository: "your-org/your-repo", ref: "refs/heads/main", event_name: "push" };

type Step = { readonly uses?: string; readonly run?: string; readonly env?: object; readonly with?: object };
type WorkflowJob = {
  readonly if?: string;
  readonly needs?: string;
  readonly permissions: object;
  readonly env?: object;
  readonly steps: readonly Step[];
};

let text: string;
let jobs: Readonly<Record<string, WorkflowJob>>;

beforeAll(async () => {
  text = await readFile(join(ROOT, ".github/workflows/deploy.yml"), "utf8");
  jobs = parse(text).jobs;
});

describe(".github/workflows/deploy.yml", () => {
  it("pins every action of deploy.yml by commit, with its release beside it, and keeps no credential of git", () => {
    const steps = Object.values(jobs).flatMap((job) => job.steps.filter(({ uses }) => uses !== undefined));
    expect(steps.length).toBeGreaterThan(0);
    for (const { uses = "", with: inputs } of steps) {
      expect(uses).toMatch(/^actions\/checkout@[0-9a-f]{40}$/);
      expect(text).toMatch(new RegExp(`${uses} # v\\d+\\.\\d+\\.\\d+\n`));
      expect(inputs).toEqual({ "persist-credentials": false });
    }
  });

  it("gives each job of deploy.yml the permissions that it needs, and no other", () => {
    expect(parse(text).permissions).toEqual({});
    expect(Object.entries(jobs).map(([name, { permissions }]) => [name, permissions])).toEqual([
      ["test", { contents: "read" }],
      ["deploy", { contents: "read" }],
      ["token", { "id-token": "write" }],
    ]);
  });

  it("deploys a tested push alone, and only where the repository names an account", () => {
    expect(Object.keys(parse(text).on)).toEqual(["push", "pull_request"]);
    expect(parse(text).on.push).toEqual({ branches: ["main"] });
    expect(jobs["deploy"]).toMatchObject({
      needs: "test",
      if: "github.event_name == 'push' && vars.CLOUDFLARE_ACCOUNT_ID != ''",
    });
    expect(jobs["token"]?.needs).toBe("deploy");
  });

  it("shows the API token to the step that deploys, and to nothing else", () => {
    const named = Object.values(jobs).flatMap(({ steps, ...job }) =>
      [job, ...steps].filter((part) => JSON.stringify(part).includes("secrets.")),
    );
    expect(named).toEqual([expect.objectContaining({ run: "npm run deploy" })]);
    expect(text.match(/secrets\.\w+/g)).toEqual(["secrets.CLOUDFLARE_API_TOKEN"]);
  });

  it("runs scripts in deploy.yml that package.json has", async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
    const named = Array.from(text.matchAll(/- run: npm run (\w+)/g), ([, name]) => name);
    expect(named).toEqual(["check", "deploy"]);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });
});

describe("the job of deploy.yml that gets a token", () => {
  const resources = new AsyncDisposableStack();
  let issuer: TestIssuer;
  let service: ExampleService;

  beforeAll(async () => {
    const issuers = resources.adopt(await serve(createIssuers()), ({ close }) => close());
    issuer = await createTestIssuer({ issuersUrl: issuers.url });
    service = resources.use(await startService([{ ...RECIPES["GitHub Actions"], issuer: issuer.issuer }]));
  });

  afterAll(() => resources.disposeAsync());

  function runToken(claims: Readonly<Record<string, string>> = JOB, tokenUrl = service.tokenUrl) {
    const job: Job = parse(text).jobs.token;
    return runJob(job, issuerFor(issuer, tokenUrl), claims, { TOKEN_URL: tokenUrl });
  }

  it("gets a token in deploy.yml with the job's identity, and shows neither", async () => {
    const { runs, log, masked } = await runToken();
    const exchanges = await service.coze.exchanges();

    expect(log).toMatch(/^Got a Coze token that expires at 20\d\d-\d\d-\d\dT[\d:]{8}Z\.$/m);
    expect(runs.map(({ code }) => code)).toEqual([0]);
    expect(masked).toEqual([expect.stringMatching(/^eyJ/), expect.stringMatching(/^czs_/)]);
    expect(exchanges.at(-1)?.assertion?.claims).toMatchObject({ session_name: JOB.repository });
    for (const secret of ["czs_", "eyJ", REQUEST_TOKEN]) expect(log).not.toContain(secret);
    for (const { args } of runs) expectNoSecretIn(args, REQUEST_TOKEN);
  });

  it("fails in deploy.yml with the error of the service when the job is another's", async () => {
    const { runs, log } = await runToken({ ...JOB, repository: "another/repo" });
    expect(runs.map(({ code }) => code)).toEqual([1]);
    expect(log).toMatch(/^::error title=No Coze token: invalid_client::.+\(request id [\w-]{36}\)$/m);
  });

  it("gets its token in deploy.yml with the lines of examples/workflow.yml", async () => {
    const example: Job = parse(await readFile(join(ROOT, "examples/workflow.yml"), "utf8")).jobs.report;
    const [lines = "", output] = example.steps[0]?.run.split(/(?<=^echo "::add-mask::\$token".*\n)/m) ?? [];
    expect(output).toContain("GITHUB_OUTPUT");
    expect(jobs["token"]?.steps[0]?.run?.slice(0, lines.length)).toBe(lines);
  });
});
