import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readProject } from "../../../tools/lib/project.ts";
import type { Prompter } from "../../../tools/lib/prompter.ts";
import type { Refusal } from "../../../tools/lib/try-exchange.ts";
import { setUp } from "../../../tools/setup/setup.ts";
import { createFolder, KID, keyPair } from "../doctor/folder.ts";

const OPTIONS = { clientId: "1", kid: KID, access: "open", yes: true, dryRun: false, exchange: true };
const COM = { TOKEN_ENDPOINT: "https://api.coze.com/api/permission/oauth2/token" };
const REFUSAL: Refusal = {
  code: "upstream_rejected",
  description: "No.",
  coze: undefined,
  logId: undefined,
  isKeyRefusal: true,
  isUnknownKey: true,
};

/** Sets up a folder for an app that these regions know, and notes which of them were asked. */
async function run(
  regions: readonly string[],
  options: Partial<typeof OPTIONS> & { readonly region?: string; readonly tokenEndpoint?: string } = {},
  { prompter, vars = "" }: { readonly prompter?: Prompter; readonly vars?: string } = {},
) {
  const folder = createFolder({ "key.pem": keyPair.privateKey, ".dev.vars": vars });
  const asked: string[] = [];
  await setUp(
    readProject(folder),
    { ...OPTIONS, keyFile: join(folder, "key.pem"), ...options },
    {
      prompter,
      say: () => undefined,
      keyFile: undefined,
      async tryExchange({ tokenEndpoint }) {
        const { host } = new URL(tokenEndpoint);
        asked.push(host);
        const isKnown = regions.some((region) => host === `api.coze.${region}`);
        if (isKnown) return { accessToken: "any", secondsLeft: 900, logId: undefined };
        return { refusal: { ...REFUSAL, isKeyRefusal: host.startsWith("api.coze.") } };
      },
    },
  );
  const { CLIENT_ID: _id, KID: _kid, ...others } = readProject(folder).deployed;
  return { deployed: others, asked };
}

/** A person who takes each default, and says what is asked. */
function createPrompter(questions: string[]): Prompter {
  const note = (question: string, answer = "") => {
    questions.push(question);
    return answer;
  };
  return {
    text: async (question, initial) => note(question, initial),
    select: async (question, _choices, initial) => note(question, initial),
    confirm: async (question, initial) => note(question) === "" && initial,
    say: () => undefined,
  };
}

describe("the region of an app", () => {
  it.each([
    ["cn", {}],
    ["com", COM],
  ])("finds the region of an app by asking both: %s", async (region, expected) => {
    expect((await run([region])).deployed).toEqual(expected);
  });

  it("says what each region has said where none knows the app", async () => {
    await expect(run([])).rejects.toThrow(/--region is missing.*coze\.cn: No\. coze\.com: No\.$/);
  });

  it("keeps the region of an app that is set up already, and does not ask the other one", async () => {
    const { asked } = await run(["cn"], {}, { vars: 'CLIENT_ID="1"\n' });
    expect(asked).toEqual(["api.coze.cn"]);
  });

  it("corrects a region that was wrong, with the previous answers as defaults", async () => {
    const questions: string[] = [];
    const { deployed } = await run(["com"], { region: "cn" }, { prompter: createPrompter(questions) });
    expect(deployed).toEqual(COM);
    expect(questions).toContainEqual(
      expect.stringMatching(/^Correct the id, the key, the fingerprint or the endpoint/),
    );
  });

  it("asks for another endpoint where one of somebody else does not look at the key", async () => {
    const defaults = createPrompter([]);
    const prompter: Prompter = {
      ...defaults,
      text: async (question, initial) =>
        question.startsWith("TOKEN_ENDPOINT") ? COM.TOKEN_ENDPOINT : defaults.text(question, initial),
    };
    const { deployed, asked } = await run(["com"], { tokenEndpoint: "https://proxy.example/" }, { prompter });
    expect(asked).toEqual(["proxy.example", "api.coze.com"]);
    expect(deployed).toEqual(COM);
  });

  it("refuses a region that AUDIENCE contradicts", async () => {
    const vars = 'AUDIENCE="api.coze.cn"\n';
    await expect(run(["com"], { region: "com" }, { vars })).rejects.toThrow(/^AUDIENCE is api\.coze\.cn.*Remove/);
  });
});
