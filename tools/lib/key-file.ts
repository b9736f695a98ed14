import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { invalid, type Parsed } from "../../src/core/issue.ts";
import { importUsableKey } from "./usable-key.ts";

/** A key has a few kilobytes. Larger files are not read. */
const MAX_BYTES = 64 * 1024;

/** Finds the newest private key that looks downloaded from Coze: in the project's folder, then in Downloads. */
export function findKeyFile(root: string, home: string): string | undefined {
  for (const folder of [root, join(home, "Downloads"), join(home, "下载")]) {
    const [newest] = pemFiles(folder).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
    if (newest !== undefined) return newest;
  }
  return undefined;
}

/** Reads a file that should be a private key in one of its forms, or says what is wrong with it. */
export async function readKeyFile(path: string): Promise<Parsed<string>> {
  const text = readSmallFile(path.replace(/^~(?=\/)/, process.env["HOME"] ?? "~"));
  if (text === undefined) return invalid(`names no file that can be read: ${path}`);
  const key = await importUsableKey(text);
  return "issues" in key
    ? invalid(`names a file that is no usable key: it ${key.issues[0]?.message}`)
    : { value: text };
}

function pemFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^private_key.*\.pem$/.test(name))
    .map((name) => join(folder, name));
}

function readSmallFile(path: string): string | undefined {
  try {
    const file = statSync(path);
    if (!file.isFile()) return undefined;
    return file.size > MAX_BYTES ? "" : readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
