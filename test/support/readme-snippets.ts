import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** A fenced block of README.md, and the heading above it. */
export type Snippet = { readonly heading: string; readonly language: string; readonly code: string };

/** Reads the snippets of a section of README.md, in their order, without the indentation of lists. */
export async function readSnippets(section: string): Promise<readonly Snippet[]> {
  const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
  const text = readme.split(`\n## ${section}\n`)[1]?.split("\n## ")[0] ?? "";
  return text.split("\n### ").flatMap((part) => {
    const heading = part.slice(0, part.indexOf("\n"));
    return Array.from(part.matchAll(/^( *)```(\w+)\n(.*?)^ *```$/gms), ([, indent = "", language = "", code = ""]) => ({
      heading,
      language,
      code: code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }));
  });
}
