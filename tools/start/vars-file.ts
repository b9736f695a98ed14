import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Failure } from "../lib/failure.ts";
import { DEFAULT_VARS_FILE } from "../lib/vars-file.ts";

export type VarsFile = {
  readonly path: string;
  /** As the user calls it. */
  readonly name: string;
};

/**
 * Finds the named vars file, or `.dev.vars` where there is one. Does not read it: that is wrangler's part.
 * @returns `undefined` when none is named and there is no `.dev.vars`.
 * @throws Failure when the named one is missing, or when wrangler could not read it.
 */
export async function findVarsFile(name: string | undefined): Promise<VarsFile | undefined> {
  const file = { path: resolve(name ?? DEFAULT_VARS_FILE), name: name ?? DEFAULT_VARS_FILE };
  const code = await faultOf(file.path);
  if (code === undefined) return file;
  if (code === "ENOENT" && name === undefined) return undefined;

  if (code === "ENOENT") throw new Failure(`There is no file ${file.path}.`);
  if (code === "EISDIR") throw new Failure(`${file.path} is a folder, but must be a file of settings.`);
  if (code === "EACCES") throw new Failure(`${file.path} cannot be read: this account lacks the permission.`);
  throw new Failure(`${file.path} cannot be read (${code}).`);
}

async function faultOf(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return "EISDIR";
    // wrangler reads it several times, which a pipe does not allow.
    if (!stats.isFile()) return "not a regular file";
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}
