import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/config.ts";
import { readProject } from "../../tools/lib/project.ts";
import { readCode } from "../support/readme-snippets.ts";
import { createFolder, TOML, VARS, varsFile } from "./doctor/folder.ts";

/** What the Worker makes of settings that are pasted into wrangler.toml, with others in the vars file. */
async function configFor(toml: string, settings: Readonly<Record<string, string>> = {}) {
  const folder = createFolder({ "wrangler.toml": TOML + toml, ".dev.vars": VARS + varsFile(settings) });
  const parsed = await parseConfig(readProject(folder).local);
  if ("issues" in parsed) throw new Error(JSON.stringify(parsed.issues));
  return parsed.value;
}

describe("the settings in README.md", () => {
  it("reads the callers of README.md as they are pasted into wrangler.toml", async () => {
    const [toml] = await readCode("Who may call", "toml");
    const withDigest = toml.replace("…64 hex digits…", "ab".repeat(32));
    const { callers } = await configFor(withDigest, { TURNSTILE_SECRET_KEY: "secret" });
    expect(callers).toMatchObject([
      { name: "nightly-report", credentialRule: { kind: "key" } },
      { name: "web-users", credentialRule: { kind: "jwt" } },
      { name: "visitors", credentialRule: { kind: "anonymous", turnstile: {} } },
    ]);
  });

  it("reads the same scope from the TOML of README.md and from its JSON as one string", async () => {
    const [[toml], [json]] = await Promise.all([readCode("Scope", "toml"), readCode("Scope", "json")]);
    const oneString = JSON.stringify(JSON.parse(json));
    const { tokenScope } = await configFor(toml);
    expect(tokenScope).toEqual(JSON.parse(json));
    expect((await configFor("", { TOKEN_SCOPE: oneString })).tokenScope).toEqual(tokenScope);
  });
});
