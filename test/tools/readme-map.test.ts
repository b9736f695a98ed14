import { existsSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readCode } from "../support/readme-snippets.ts";
import { ROOT } from "./examples/service.ts";

type Line = { readonly path: string; readonly description: string };

let lines: readonly Line[];

beforeAll(async () => {
  const [map] = await readCode("Map", "");
  let folders: readonly string[] = [];
  lines = Array.from(map.matchAll(/^( *)(\S+) *(.*)$/gm), ([, indent = "", name = "", description = ""]) => {
    folders = [...folders.slice(0, indent.length / 2), name];
    return { path: folders.join(""), description };
  });
});

/** The names at the end of a description. */
function namesBehind(folder: string): readonly string[] {
  const { description = "" } = lines.find(({ path }) => path === folder) ?? {};
  return description.replace(/^.*: /, "").split(", ");
}

describe("the map of README.md", () => {
  it("shows in the map of README.md every folder of src, and nothing that is not there", async () => {
    const entries = await readdir(join(ROOT, "src"), { recursive: true, withFileTypes: true });
    const folders = entries
      .filter((entry) => entry.isDirectory())
      .map(({ parentPath, name }) => join(parentPath, name));
    const shown = lines.map(({ path }) => path);
    for (const path of shown) expect.soft(existsSync(join(ROOT, path)), path).toBe(true);
    expect(shown).toEqual(expect.arrayContaining(folders.map((folder) => `${folder.slice(ROOT.length + 1)}/`)));
  });

  it("names in the map of README.md every tool that package.json runs", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const tools = Array.from(JSON.stringify(scripts).matchAll(/node tools\/(?:run\.js )?(\w+)/g), ([, tool]) => tool);
    expect(namesBehind("tools/").toSorted()).toEqual(tools.toSorted());
  });

  it("names in the map of README.md no page that docs does not have", () => {
    const missing = namesBehind("docs/").filter(
      (name) => !existsSync(join(ROOT, "docs", name)) && !existsSync(join(ROOT, "docs", `${name}.md`)),
    );
    expect(missing).toEqual([]);
  });
});
