import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DOCUMENT_PATH } from "../openapi/document-path.ts";
import { buildClientModule } from "./client-module.ts";
import { buildConsolePage } from "./console-page.ts";
import { formatHeadersFile } from "./headers-file.ts";

/**
 * Builds the static assets of the Worker into a folder: the client module with its types, the description of the API,
 * the page of the console, and the headers they are served with. Files that did not change are left alone, and none is
 * ever half-written.
 * @throws Error with the compiler's message if a source cannot be built.
 */
export async function buildAssets(folder: string): Promise<void> {
  const [client, page, description] = await Promise.all([
    buildClientModule(),
    buildConsolePage(),
    readFile(DOCUMENT_PATH, "utf8"),
  ]);
  const files = {
    "client.js": client.script,
    "client.d.ts": client.types,
    "openapi.json": description,
    "console.html": page.html,
    _headers: formatHeadersFile(page.contentSecurityPolicy),
  };
  await mkdir(folder, { recursive: true });
  await Promise.all(Object.entries(files).map(([name, content]) => replaceFile(join(folder, name), content)));
}

/** Other builds may run at the same time, and wrangler may read. */
async function replaceFile(path: string, content: string): Promise<void> {
  const current = await readFile(path, "utf8").catch(() => undefined);
  if (current === content) return;
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, content);
  await rename(draft, path);
}
