import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/config.ts";
import { SETTING_NAMES } from "../../../src/config/settings.ts";

const required = { CLIENT_ID: "1127", KID: "kid", PRIVATE_KEY: "key" };

/** Some of the settings, each with a value of this kind. */
function settingsOf<Value>(value: fc.Arbitrary<Value>) {
  const entries = SETTING_NAMES.map((name) => [name, value] as const);
  return fc.record<Record<string, Value>>(Object.fromEntries(entries), { requiredKeys: [] });
}

describe("the settings", () => {
  it("parses settings of any type as a configuration, or as issues of known settings in sentences", async () => {
    const anyEnvironment = settingsOf(fc.oneof(fc.anything(), fc.json(), fc.string()));
    const mixed = anyEnvironment.map((env) => ({ ...env, ...required }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(anyEnvironment, mixed), async (env) => {
        const parsed = await parseConfig(env);
        if ("value" in parsed) return;
        expect(parsed.issues).not.toEqual([]);
        for (const { path, message } of parsed.issues) {
          expect(SETTING_NAMES).toContain(/^\w+/.exec(path)?.[0]);
          expect(message).toMatch(/^.*\b(must|is|are|has|have|belong)\b/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("never shows the value of a setting in an issue", async () => {
    const SECRET = "hunter2";
    const shape = fc.constantFrom<unknown[]>(
      SECRET,
      `${SECRET}/${SECRET}`,
      `https://${SECRET}:${SECRET}@${SECRET}.example/`,
      [SECRET],
      { value: SECRET },
      JSON.stringify({ account_permission: { permission_list: SECRET } }),
      JSON.stringify([{ name: `${SECRET} ${SECRET}`, key_sha256: SECRET, origins: SECRET, max_duration: SECRET }]),
      [{ name: "name", issuer: SECRET, claims: { role: { pattern: `${SECRET}(` } } }],
    );
    await fc.assert(
      fc.asyncProperty(settingsOf(shape), async (env) => {
        const parsed = await parseConfig(env);
        if ("issues" in parsed) expect(JSON.stringify(parsed.issues)).not.toContain(SECRET);
      }),
      { numRuns: 300 },
    );
  });
});
