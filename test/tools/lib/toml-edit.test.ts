import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { editToml, tomlValue } from "../../../tools/lib/toml-edit.ts";
import { SHIPPED_TOML } from "../../support/shipped-toml.ts";

const CALLER = { name: "script", key_sha256: "ab", claims: { a: true } };

describe("editing wrangler.toml", () => {
  it.each([undefined, "production"])("changes only the lines that it has to: environment %s", (env) => {
    const prefix = env === undefined ? "" : `env.${env}.`;
    const edited = editToml(SHIPPED_TOML, {
      env,
      vars: { CLIENT_ID: "1" },
      caller: CALLER,
      domain: "t.example.com",
      namespaceIds: ["11", "22"],
    });
    const [before, after] = [SHIPPED_TOML, edited].map((text) => text.split("\n"));
    const added = after?.filter((line) => !before?.includes(line));
    expect(added).toEqual(
      expect.arrayContaining([
        `[${prefix}vars]`,
        'CLIENT_ID = "1"',
        `[[${prefix}vars.CALLERS]]`,
        'namespace_id = "11"',
      ]),
    );
    expect(added).toHaveLength(9);
    const lost = before?.filter((line) => !after?.includes(line)) ?? [];
    expect(lost.every((line) => /namespace_id|pattern|^# \[|^# CLIENT_ID|^# name|^# key_sha256/.test(line))).toBe(true);
  });

  it("adds a caller after those that are there, and leaves the comment of the next table with it", () => {
    const text =
      '[vars]\nA = 1\n\n[[vars.CALLERS]]\nname = "a"\n[vars.CALLERS.claims]\nb = 1\n\n# of the next\n[x]\ny = 1\n';
    const edited = editToml(text, { env: undefined, vars: {}, caller: CALLER });
    expect(edited).toContain(
      'b = 1\n\n[[vars.CALLERS]]\nname = "script"\nkey_sha256 = "ab"\nclaims = { a = true }\n\n# of the next\n[x]',
    );
  });

  it("adds tables, keys and routes to a file that has none", () => {
    const edited = editToml('name = "w"\n', {
      env: undefined,
      vars: { B: 'quote " and \\' },
      caller: CALLER,
      domain: "t.example.com",
    });
    expect(parse(edited)).toEqual({
      name: "w",
      routes: [{ pattern: "t.example.com", custom_domain: true }],
      vars: { B: 'quote " and \\', CALLERS: [CALLER] },
    });
  });

  it("keeps line ends, comments behind values, and examples of other callers", () => {
    const text =
      '[vars]\r\nKID = "old" # since May\r\n\r\n# [[vars.CALLERS]]\r\n# name = "a"\r\n# Ask Bob first.\r\n# [x]\r\n';
    const edited = editToml(text, { env: undefined, vars: { KID: "new" }, caller: { name: "b" } });
    expect(edited).toBe(
      '[vars]\r\nKID = "new" # since May\r\n\r\n[[vars.CALLERS]]\r\nname = "b"\r\n# Ask Bob first.\r\n# [x]\r\n',
    );
  });

  it("changes the only custom domain, or adds one, and keeps all other routes", () => {
    const old = { pattern: "old.example", custom_domain: true, enabled: true };
    const added = { pattern: "new.example", custom_domain: true };
    const zone = { pattern: "a.example/*", zone_name: "a.example", custom_domain: false };
    const routesAfter = (...routes: readonly object[]) => {
      const text = `routes = ${tomlValue(JSON.parse(JSON.stringify(routes)))}\n`;
      return parse(editToml(text, { env: undefined, vars: {}, domain: "new.example" }))["routes"];
    };
    expect(routesAfter(zone, old)).toEqual([zone, { ...old, pattern: "new.example" }]);
    expect(routesAfter(zone)).toEqual([zone, added]);
    expect(routesAfter(old, { ...old, pattern: "b.example" })).toEqual([old, { ...old, pattern: "b.example" }, added]);
    expect(routesAfter(old, added)).toEqual([old, added]);
    const single = { env: undefined, vars: {}, domain: "new.example" };
    expect(() => editToml('route = "a.example/*"\n', single)).toThrow(/Move it into routes/);
  });

  it.each([
    ["inline variables", 'vars = { CLIENT_ID = "1" }\n'],
    ["callers as a string", "[vars]\nCALLERS = '[]'\n"],
    ["a value over several lines", '[vars]\nCLIENT_ID = """\n1"""\n'],
  ])("refuses a file with %s rather than break it", (_what, text) => {
    const edits = { env: undefined, vars: { CLIENT_ID: "2" }, caller: CALLER };
    expect(() => editToml(text, edits)).toThrow(/cannot be edited safely/);
  });
});
