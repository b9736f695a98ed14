import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const PAGES = ["docs/runbooks.md", "docs/deploying.md", "docs/operations.md", "docs/migrating.md"];
const documents = await Promise.all(PAGES.map(async (page) => [page, await readFile(page, "utf8")] as const));

/** A command of wrangler, with the names of its options. */
type Command = { readonly words: string; readonly options: readonly string[] };

describe("the pages for operators", () => {
  const commands = documents.flatMap(([, markdown]) => wranglerCommands(markdown));
  it.each([...new Set(commands.map(({ words }) => words))])("use options that wrangler has: %s", async (words) => {
    const { stdout } = await promisify(execFile)("wrangler", [...words.split(" "), "--help"]);
    const options = commands.filter((command) => command.words === words).flatMap((command) => command.options);
    expect(stdout).toContain(`wrangler ${words}`);
    for (const option of options) expect(stdout).toMatch(new RegExp(`--${option}\\s`));
  });

  it.each(documents)("name scripts that package.json has: %s", async (_page, markdown) => {
    const { scripts } = JSON.parse(await readFile("package.json", "utf8"));
    const named = Array.from(markdown.matchAll(/npm run ([\w:]+)/g), ([, name]) => name);
    expect(named.length).toBeGreaterThan(0);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });

  it.each(documents)("link to headings that are there: %s", async (page, markdown) => {
    for (const [, path = "", anchor = ""] of markdown.matchAll(/\]\((?!https:)([^)#]*)(?:#([^)]*))?\)/g)) {
      const target = path === "" ? page : join(dirname(page), path);
      const content = await readFile(target, "utf8");
      if (anchor !== "")
        expect({ target, anchors: anchorsIn(content) }).toEqual({ target, anchors: expect.arrayContaining([anchor]) });
    }
  });
});

function wranglerCommands(markdown: string): readonly Command[] {
  return Array.from(markdown.matchAll(/npx wrangler ((?:[a-z]+ ?)+)([^`\n#|]*)/g), ([, words = "", rest = ""]) => ({
    words: words.trim(),
    options: Array.from(rest.matchAll(/--([\w-]+)/g), ([, option = ""]) => option),
  }));
}

/** The anchors that GitHub gives to headings. */
function anchorsIn(markdown: string): readonly string[] {
  return Array.from(markdown.matchAll(/^#+ (.*)$/gm), ([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(/\s/g, "-"),
  );
}
