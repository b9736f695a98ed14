import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createDocument } from "./document.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Creates what docs/openapi.json must contain, with the version of package.json. */
export async function documentText(): Promise<string> {
  const { version }: { readonly version: string } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  return `${JSON.stringify(createDocument(version), null, 2)}\n`;
}
