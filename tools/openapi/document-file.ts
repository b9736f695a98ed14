import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createDocument } from "./document.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What the document file must contain, for the version in package.json. */
export async function documentText(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  return `${JSON.stringify(createDocument(version), null, 2)}\n`;
}
