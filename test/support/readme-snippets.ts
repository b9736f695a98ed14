import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** A fenced block, and the heading above it. The language is "" where the block names none. */
export type Snippet = { readonly heading: string; readonly language: string; readonly code: string };

/** How an inline command of README.md begins; `--env production` is short for the command before it. */
const COMMAND = /^(?:(?:npm|npx|node|curl|git) |(?:wrangler )?secret put|wrangler |--\w)/;

/** A command between the words of a comment: a script, and at most one argument. */
const COMMAND_IN_COMMENT = /\b(?:npm (?:start|ci|test|run [\w:]+)(?: -- [\w.-]+)?|npx wrangler [a-z]+|curl \S+)/g;

const HEADING_OR_BLOCK = /^#{1,6} ([^\n]+)$|^( *)```(\w*)\n(.*?)^ *```$/gms;

/** Reads a page of the repository. */
export async function readPage(page = "README.md"): Promise<string> {
  return readFile(join(import.meta.dirname, "../..", page), "utf8");
}

/** Reads the fenced blocks of README.md, in their order, without the indentation of lists. */
export async function readSnippets(): Promise<readonly Snippet[]> {
  return snippetsIn(await readPage());
}

/**
 * Reads the code of the blocks of README.md below a heading, in their order.
 * @throws Error when there is none.
 */
export async function readCode(heading: string, language: string): Promise<readonly [string, ...string[]]> {
  const found = (await readSnippets()).filter((each) => each.heading === heading && each.language === language);
  const [first, ...others] = found.map(({ code }) => code);
  if (first === undefined) throw new Error(`README.md has no ${language} below ${heading}.`);
  return [first, ...others];
}

/**
 * The distinct commands between the words of a page, in prose and in the comments of its code, in their order. The blocks
 * of `sh` are snippets, not inline.
 */
export function commandsIn(markdown: string): readonly string[] {
  const snippets = snippetsIn(markdown);
  const comments = snippets.flatMap(({ language, code }) =>
    language === "sh" ? [] : (code.match(COMMAND_IN_COMMENT) ?? []),
  );
  const prose = markdown.replaceAll(HEADING_OR_BLOCK, (text, heading) => (heading === undefined ? "" : text));
  const inline = Array.from(prose.matchAll(/`([^`\n]+)`/g), ([, code = ""]) => code);
  return [...new Set([...comments, ...inline.filter((code) => COMMAND.test(code))])];
}

function snippetsIn(markdown: string): readonly Snippet[] {
  let heading = "";
  return Array.from(markdown.matchAll(HEADING_OR_BLOCK)).flatMap(([, title, indent, language = "", code = ""]) => {
    heading = title ?? heading;
    if (title !== undefined) return [];
    return { heading, language, code: code.replaceAll(new RegExp(`^${indent}`, "gm"), "") };
  });
}
