import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import { createIssuers } from "../../support/issuer-server.ts";
import { RECIPES } from "../../support/recipes.ts";
import { serve } from "../../support/stand-in-server.ts";
import { issuerFor, type Job, REQUEST_TOKEN, runJob } from "./job.ts";
import {
  BODIES_WITHOUT_TOKEN,
  type ExampleService,
  expectNoSecretIn,
  ROOT,
  startService,
  startStandIn,
} from "./service.ts";

const JOB = { repository: "your-org/your-repo", ref: "refs/heads/main", event_name: "push" };

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
    const { runs, log } = await runReport(JOB);
    const exchanges = await service.coze.exchanges();

    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(log).toMatch(/^Working for 1127896425345\.$/m);
    expect(exchanges.at(-1)?.assertion?.claims).toMatchObject({ session_name: JOB.repository });
  });

  it("shows no JWT and no token of workflow.yml in the log or in arguments", async () => {
    const { runs, log, masked } = await runReport(JOB);

    expect(masked).toEqual([expect.stringMatching(/^eyJ/), expect.stringMatching(/^czs_/)]);
    for (const secret of ["czs_", "eyJ", REQUEST_TOKEN]) expect(log).not.toContain(secret);
    for (const { args } of runs) expectNoSecretIn(args, REQUEST_TOKEN);
  });

  it("ends a workflow.yml job of another branch with the service's description as an annotation", async () => {
    const { runs, log } = await runReport({ ...JOB, ref: "refs/heads/other" });

    expect(runs.map(({ code }) => code)).toEqual([1]);
    expect(log).toMatch(/^::error title=No Coze token: invalid_client::.+\(request id [\w-]{36}\)$/m);
  });

  it.each(BODIES_WITHOUT_TOKEN)("ends the job for status 200 and %j, and masks the JWT alone", async (body) => {
    const { url } = await startStandIn([{ status: 200, body }]);
    const { runs, log, masked } = await runReport(JOB, { ...service, tokenUrl: url });

    expect(runs.map(({ code }) => code)).toEqual([1]);
    expect(masked).toEqual([expect.stringMatching(/^eyJ/)]);
    expect(log).toContain("::error title=No Coze token::Status 200, but no token in the body. Check TOKEN_URL.\n");
  });

  it.each([
    [{ error: "a::b", error_description: "50%\r\n::stop-commands::pwn", request_id: "1\n::add-mask::a" }, "a%3A%3Ab"],
    ["<html>", undefined],
  ])("lets no response begin a command to the runner: %j", async (body, title) => {
    const { url } = await startStandIn([{ status: 401, body }]);
    const { runs, log, masked } = await runReport(JOB, { ...service, tokenUrl: url });

    expect(runs.map(({ code }) => code)).toEqual([1]);
    expect(masked).toHaveLength(1);
    expect(log.match(/^::.*$/gm)).toEqual([
      title === undefined
        ? "::error title=No Coze token::Status 401. Check TOKEN_URL."
        : `::error title=No Coze token: ${title}::50%25%0D%0A::stop-commands::pwn (request id 1%0A::add-mask::a)`,
    ]);
  });

  it("lets no name begin a command to the runner", async () => {
    const { url } = await startStandIn([
      { status: 200, body: { data: { nick_name: "Ann\n::add-mask::a ##[group]b" } } },
    ]);
    const { log } = await runReport(JOB, { ...service, cozeApi: url });

    expect(log).toMatch(/^Working for Ann::add-mask::a \[group\]b\.$/m);
  });
});

/** Runs the job with these claims in its identity. */
function runReport(
  claims: Readonly<Record<string, string>>,
  { tokenUrl, cozeApi }: Pick<ExampleService, "tokenUrl" | "cozeApi"> = service,
) {
  return runJob(job, issuerFor(issuer, tokenUrl), claims, { TOKEN_URL: tokenUrl, COZE_API: cozeApi });
}
