import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import type { TestIssuer } from "../../support/issuer.ts";
import { serve } from "../../support/stand-in-server.ts";
import { type Run, run } from "./service.ts";

/** What authenticates a job to the service that gives it its identity. */
export const REQUEST_TOKEN = "the-request-token-of-this-job";

type Variables = Readonly<Record<string, string>>;

/** A job of a workflow, as far as it runs here. */
export type Job = {
  readonly permissions: object;
  readonly env: Variables;
  readonly steps: readonly {
    readonly name: string;
    readonly id?: string;
    readonly shell: string;
    readonly env?: Variables;
    readonly run: string;
  }[];
};

/** An issuer that signs for https://token.example.com, the audience of the documented caller, where a job names `tokenUrl`. */
export function issuerFor({ sign }: Pick<TestIssuer, "sign">, tokenUrl: string): Pick<TestIssuer, "sign"> {
  const standsFor = new Map([[tokenUrl.replace(/\/$/, ""), "https://token.example.com"]]);
  return { sign: ({ aud, ...others }) => sign({ ...others, aud: standsFor.get(String(aud)) ?? aud }) };
}

/**
 * Runs the steps as GitHub does, until one fails. `vars` are the variables of the repository, and `claims` those of the
 * job's identity. The log is without the lines that name what is to be masked.
 */
export async function runJob(job: Job, issuer: Pick<TestIssuer, "sign">, claims: Variables, vars: Variables) {
  const identity = await serve(
    new Hono().get("/identity", async (c) => {
      if (c.req.header("authorization") !== `Bearer ${REQUEST_TOKEN}`) return c.json({}, 401);
      return c.json({ value: await issuer.sign({ ...claims, aud: c.req.query("audience") }) });
    }),
  );
  const folder = mkdtempSync(join(tmpdir(), "examples-job-"));
  const values = new Map(Object.entries(vars).map(([name, value]) => [`vars.${name}`, value]));

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
function evaluated(env: Variables, values: ReadonlyMap<string, string>): Variables {
  const evaluate = (value: string) => value.replaceAll(/\$\{\{ ([\w.]+) \}\}/g, (_, name) => values.get(name) ?? "");
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, evaluate(value)]));
}
