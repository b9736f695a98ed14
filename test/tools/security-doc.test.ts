import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const DOCUMENT = "docs/security.md";

/** `[label]: ../test/… "title"`: the test that a label stands for, or the whole file where there is no title. */
const DEFINITION = /^\[([^\]]+)\]: \.\.\/(test\/\S+)(?: "(.+)")?$/;
/** A label in brackets that is not the text of a link. */
const REFERENCE = /\[([^\][]+)\](?!\()/g;
const CODE = /`[^`]*`/g;
/** What no test of this project can show names its source, or says that there is none. */
const SOURCE = /\]\(https:\/\/|not confirmed/i;

type Definition = { readonly label: string; readonly path: string; readonly title: string | undefined };
type ReadTest = (path: string) => string | undefined;

/** Everything that is wrong with the references of a document, in sentences. */
function issuesIn(markdown: string, readTest: ReadTest): readonly string[] {
  const lines = markdown.split("\n");
  const definitions = lines.flatMap(definitionIn);
  const labels = definitions.map(({ label }) => label);
  const body = lines.filter((line) => definitionIn(line).length === 0).join("\n");
  const used = referencesIn(body);
  const isBacked = (text: string) => referencesIn(text).some((label) => labels.includes(label));

  return [
    ...definitions.flatMap((definition) => testIssues(definition, readTest)),
    ...labels.filter((label, index) => labels.indexOf(label) < index).map((label) => `[${label}] is defined twice`),
    ...labels.filter((label) => !used.includes(label)).map((label) => `[${label}] is not used`),
    ...used.filter((label) => !labels.includes(label)).map((label) => `[${label}] names no test`),
    ...sectionsIn(body).flatMap(({ heading, text }) => [
      ...(isBacked(text) ? [] : [`section without a test: ${heading}`]),
      ...rowsIn(text)
        .filter((row) => !isBacked(row))
        .map((row) => `row without a test: ${row}`),
      ...passagesIn(text)
        .filter((passage) => !isBacked(passage) && !SOURCE.test(passage))
        .map((passage) => `passage without a test or a source: ${passage}`),
    ]),
  ];
}

function definitionIn(line: string): readonly Definition[] {
  const [, label, path, title] = DEFINITION.exec(line) ?? [];
  return label === undefined || path === undefined ? [] : [{ label, path, title }];
}

function testIssues({ label, path, title }: Definition, readTest: ReadTest): readonly string[] {
  const source = path.endsWith(".test.ts") ? readTest(path) : undefined;
  if (source === undefined) return [`[${label}] names a file that is no test: ${path}`];
  const isThere = title === undefined || source.includes(`"${title}`) || source.includes(`\`${title}`);
  return isThere ? [] : [`[${label}] names a test that is not in ${path}: ${title}`];
}

function referencesIn(text: string): readonly string[] {
  return Array.from(text.replace(CODE, "").matchAll(REFERENCE), ([, label = ""]) => label);
}

/** The parts under the headings of the second level; what stands before the first is an introduction. */
function sectionsIn(body: string): readonly { readonly heading: string; readonly text: string }[] {
  return body
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = "", ...lines] = section.split("\n");
      return { heading, text: lines.join("\n") };
    });
}

/** The rows of tables, without their heads. */
function rowsIn(text: string): readonly string[] {
  return text.split("\n").filter((line, index, lines) => {
    const isHead = /^\|[-|]+$/.test(line) || /^\|[-|]+$/.test(lines[index + 1] ?? "");
    return line.startsWith("|") && !isHead;
  });
}

/** Paragraphs and the items of lists. What ends in a colon leads to something, and claims nothing by itself. */
function passagesIn(text: string): readonly string[] {
  return text
    .split(/\n\n|\n(?=- )/)
    .map((passage) => passage.trim())
    .filter((passage) => passage !== "" && !/^(\||### )/.test(passage) && !passage.endsWith(":"));
}

function readTest(path: string): string | undefined {
  const file = join(ROOT, path);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

it("names a test, or a source, for each passage, row and section of docs/security.md", () => {
  expect(issuesIn(readFileSync(join(ROOT, DOCUMENT), "utf8"), readTest)).toEqual([]);
});

describe("the check of references", () => {
  const SOUND = `# Title

An introduction claims nothing.

## First

It leads on:

- an item [alpha];
- what Coze does, which is not confirmed, and \`code[0]\`.

A paragraph with a [link](callers.md) and a test [beta].

| what | shown by |
|---|---|
| row | [alpha], [beta] |

[alpha]: ../test/a.test.ts "does a thing"
[beta]: ../test/b.test.ts
`;
  const files = new Map([
    ["test/a.test.ts", 'it("does a thing, and well", …)'],
    ["test/b.test.ts", "it(`does another`, …)"],
  ]);
  const issuesOf = (markdown: string) => issuesIn(markdown, (path) => files.get(path));

  it("finds no issue in a document with sound references", () => {
    expect(issuesOf(SOUND)).toEqual([]);
  });

  it.each<[string, string, string, readonly string[]]>([
    ["a file that is not there", "b.test.ts", "c.test.ts", ["[beta] names a file that is no test: test/c.test.ts"]],
    ["a file that is no test", "b.test.ts", "b.ts", ["[beta] names a file that is no test: test/b.ts"]],
    [
      "a title that is not there",
      "a thing",
      "things",
      ["[alpha] names a test that is not in test/a.test.ts: does things"],
    ],
    ["a label that is not defined", "test [beta]", "test [beta], [x y]", ["[x y] names no test"]],
    ["a label that is not used", "[beta]: ", "[gamma]: ../test/b.test.ts\n[beta]: ", ["[gamma] is not used"]],
    ["a label twice", "[beta]: ", "[beta]: ../test/b.test.ts\n[beta]: ", ["[beta] is defined twice"]],
    ["a row without a test", "| [alpha], [beta] |", "| no |", ["row without a test: | row | no |"]],
    ["an item without a test", "item [alpha]", "item", ["passage without a test or a source: - an item;"]],
    [
      "a paragraph without a test",
      "and a test [beta].",
      "and no test.",
      ["passage without a test or a source: A paragraph with a [link](callers.md) and no test."],
    ],
    [
      "a section without a test",
      "[alpha]: ",
      "## Second\n\nIt is not confirmed.\n\n[alpha]: ",
      ["section without a test: Second"],
    ],
  ])("finds in a document %s", (_what, text, replacement, issues) => {
    expect(issuesOf(SOUND.replace(text, replacement))).toEqual(issues);
  });
});
