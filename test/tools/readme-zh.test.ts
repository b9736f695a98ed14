import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { english } from "../../src/console/english.ts";
import { simplifiedChinese } from "../../src/console/simplified-chinese.ts";
import { commandsIn } from "../support/readme-snippets.ts";

/** A heading, with the anchor that GitHub gives it, and the text below it without its code blocks. */
type Section = { readonly level: number; readonly anchor: string; readonly text: string };

const PAIRS = [
  ["README.md", "README.zh-CN.md"],
  ["docs/callers.md", "docs/callers.zh-CN.md"],
  ["docs/operations.md", "docs/operations.zh-CN.md"],
  ["docs/deploying.md", "docs/deploying.zh-CN.md"],
  ["examples/mini-program/README.md", "examples/mini-program/README.zh-CN.md"],
] as const;

/** What a reader of Chinese finds in code, besides its comments, instead of the English. */
const TRANSLATED_CODE = [
  ["Language.EN", "Language.ZH_CN"],
  ['"Ada"', '"小明"'],
  ["…64 hex digits…", "…64 位十六进制数字…"],
  ["the application's AUD tag", "应用的 AUD 标签"],
  ["the fingerprint of the public key", "公钥指纹"],
] as const;

/** A comment to the end of its line. A block without a language is a tree of files, each with its description. */
const COMMENT = /(?<=^|\s)(?:#|\/\/|<!--) (.+)$/gm;
const DESCRIPTION = /(?<=^ *\S+ {2,})(\S.*)$/gm;
/** Names at the end of a comment, such as those of tools, are the same in each language. */
const NAMES = /(?:[\w./-]+, ){3,}[\w./-]+$/;

/** A link to an English page of this project, Cloudflare or Grafana, without the mark after it. */
const UNMARKED_ENGLISH =
  /\[[^\]]*\]\((?:https:\/\/(?:developers\.cloudflare|grafana)\.com|(?!https:)[^)]*(?<!\.zh-CN)\.md)[^)]*\)(?!（英文）)/g;

describe("the Chinese pages", () => {
  it.each(PAIRS)("keeps the headings of %s in %s, at their levels and in their order", async (english, chinese) => {
    expect(levelsOf(await readPage(chinese))).toEqual(levelsOf(await readPage(english)));
  });

  it.each(PAIRS)("keeps the code of %s in %s, with each comment in Chinese", async (english, chinese) => {
    const isChineseText = (words: string) => /\p{Script=Han}/u.test(words);
    const translated = codeBlocksIn(await readPage(english)).map((block) =>
      TRANSLATED_CODE.reduce((code, [from, to]) => code.replaceAll(from, to), block),
    );
    expect(codeBlocksIn(await readPage(chinese), isChineseText)).toEqual(translated);
  });

  it.each(PAIRS)("keeps the names and commands between the words of %s in %s", async (english, chinese) => {
    const translated = sectionsIn(await readPage(chinese)).map(({ text }) => inlineCodeIn(text));
    for (const [position, { anchor, text }] of sectionsIn(await readPage(english)).entries()) {
      const missing = inlineCodeIn(text).filter((code) => !translated[position]?.includes(code));
      expect.soft({ anchor, missing }).toEqual({ anchor, missing: [] });
    }
  });

  it.each(PAIRS)("has no command that %s does not have: %s", async (english, chinese) => {
    const page = await readPage(english);
    expect(commandsIn(await readPage(chinese)).filter((command) => !page.includes(command))).toEqual([]);
  });

  it.each(PAIRS)("keeps the table rows of %s in %s, with the same names and values", async (english, chinese) => {
    expect(rowsIn(await readPage(chinese))).toEqual(rowsIn(await readPage(english)));
  });

  it.each(PAIRS)("keeps the links of %s in %s, to the Chinese page where there is one", async (english, chinese) => {
    expect(await targetsIn(chinese)).toEqual(await targetsIn(english));
  });

  it.each(PAIRS)("marks each link from the Chinese page of %s to a page in English", async (_english, chinese) => {
    expect((await readPage(chinese)).match(UNMARKED_ENGLISH)).toEqual([expect.stringMatching(/^\[English\]/)]);
  });

  it("names the Chinese page in the Chinese console wherever there is one", () => {
    const pages = Object.values(english.pages).map((page) => PAIRS.find(([known]) => known === page)?.[1] ?? page);
    expect(Object.values(simplifiedChinese.pages)).toEqual(pages);
    const named = JSON.stringify(simplifiedChinese).match(/[\w./-]+\.md/g);
    expect(pages).toEqual(expect.arrayContaining([...new Set(named)]));
  });

  it.each(Object.entries(simplifiedChinese.errors))(
    "explains %s in README.zh-CN.md in the words of the console",
    async (code, text) => {
      const row = (await readPage("README.zh-CN.md")).split("\n").find((line) => line.startsWith(`| \`${code}\` |`));
      expect(row).toContain(`| ${text.meaning}${text.remedy}`);
    },
  );
});

async function readPage(page: string): Promise<string> {
  return readFile(join(import.meta.dirname, "../..", page), "utf8");
}

/** The code blocks, with a mark and the names where there is a comment. */
function codeBlocksIn(markdown: string, isComment = (_words: string) => true): readonly string[] {
  return Array.from(markdown.matchAll(/^ *```.*?^ *```$/gms), ([block]) =>
    block.replaceAll(/^ *```\n/.test(block) ? DESCRIPTION : COMMENT, (comment, words) =>
      isComment(words) ? `[comment] ${NAMES.exec(words) ?? ""}` : comment,
    ),
  );
}

function inlineCodeIn(text: string): readonly string[] {
  return text.match(/`[^`\n]+`/g) ?? [];
}

function withoutCodeBlocks(markdown: string): string {
  return markdown.replaceAll(/^ *```.*?^ *```$/gms, "");
}

function levelsOf(markdown: string): readonly number[] {
  return sectionsIn(markdown).map(({ level }) => level);
}

function sectionsIn(markdown: string): readonly Section[] {
  return Array.from(
    withoutCodeBlocks(markdown).matchAll(/^(#+) (.+)\n((?:(?!#+ ).*\n)*)/gm),
    ([, marks = "", heading = "", text = ""]) => ({
      level: marks.length,
      anchor: heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\s-]/gu, "")
        .replaceAll(/\s/g, "-"),
      text,
    }),
  );
}

/** The rows of all tables: the code in the first cell, and of the other cells those that are nothing but code. */
function rowsIn(markdown: string): readonly (readonly string[])[] {
  const lines = withoutCodeBlocks(markdown).matchAll(/^\| (.+) \|$/gm);
  return Array.from(lines, ([, row = ""]) => {
    const [first = "", ...others] = row.split(" | ");
    const names = inlineCodeIn(first).join(", ");
    return [names, ...others.map((cell) => (/^`[^`]+`$/.test(cell) ? cell : "words"))];
  });
}

/** The targets of the links in each section, sorted, in a form that is the same for both languages. */
async function targetsIn(page: string): Promise<readonly (readonly string[])[]> {
  const sections = sectionsIn(await readPage(page));
  return Promise.all(
    sections.map(async ({ text }) => {
      const links = Array.from(text.matchAll(/\]\(([^)]+)\)/g), ([, link = ""]) => link);
      return (await Promise.all(links.map((link) => targetFor(page, link)))).toSorted();
    }),
  );
}

async function targetFor(page: string, link: string): Promise<string> {
  // Each README opens with the Coze of its readers.
  if (/^https?:/.test(link)) return link.replace(/^https:\/\/www\.coze\.com$/, "https://www.coze.cn");
  const [path = "", anchor] = link.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  const sections = sectionsIn(await readPage(file));
  const heading = anchor === undefined ? "whole" : sections.findIndex((section) => section.anchor === anchor);
  if (heading === -1) throw new Error(`${page} links to a heading that is not there: ${link}`);
  const english = PAIRS.find((pair) => pair.some((name) => name === file))?.[0];
  if (english === undefined) return `${file}, heading ${heading}`;
  const language = isChinese(file) === isChinese(page) ? "this language" : "the other language";
  return `${english}, heading ${heading}, in ${language}`;
}

function isChinese(page: string): boolean {
  return page.endsWith(".zh-CN.md");
}
