import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { SETTING_NAMES } from "../../src/config/settings.ts";
import { ERROR_STATUS } from "../../src/http/error-response.ts";

describe("README.md", () => {
  let readme: string;

  beforeAll(async () => {
    readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
  });

  it("lists in README.md exactly the settings that the Worker knows", () => {
    const settings = rowsOf("Settings").map(([name]) => name);
    expect(settings.toSorted()).toEqual(SETTING_NAMES.toSorted());
  });

  it("lists in README.md exactly the errors of the Worker, with their status", () => {
    const errors = rowsOf("Errors").map(([code, status]) => [code, Number(status)]);
    expect(errors.toSorted()).toEqual(Object.entries(ERROR_STATUS).toSorted());
  });

  /** The rows of the first table in a section, each as the name in backticks in its first cell, and the other cells. */
  function rowsOf(heading: string): readonly (readonly string[])[] {
    const section = readme.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
    const body = section.split(/^\|[-|]+\|$/m)[1] ?? "";
    return Array.from(body.matchAll(/^\| `(\w+)` \| (.+) \|$/gm), ([, name = "", cells = ""]) => [
      name,
      ...cells.split(" | "),
    ]);
  }
});
