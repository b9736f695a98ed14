import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Failure } from "./failure.ts";

/** A file to write. */
export type FileToWrite = {
  readonly name: string;
  readonly text: string;
  /** For a new file; one that is there keeps its mode, unless this is a private one. */
  readonly mode: number;
  /** The text that was read before, from which `text` was made; `undefined` if there was no file. */
  readonly before: string | undefined;
};

/** A file on its way: beside its place, under another name. */
type Staged = { readonly path: string; readonly temporary: string; readonly file: FileToWrite };

/** The mode of a file that only its owner can read and write. */
export const PRIVATE_MODE = 0o600;

/** The bits of a mode that let others than the owner use a file. */
export const OTHERS = 0o077;

/** Reads the text of a file in a folder; `undefined` if there is none. */
export function readIfPresent(root: string, name: string): string | undefined {
  const path = join(root, name);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/**
 * Writes all files, or none: each beside its place first, and then all are put there by renaming. Nothing is awaited in
 * between, so Ctrl-C comes before or after.
 * @throws Failure when a file has changed since it was read, or cannot be written.
 */
export function writeFiles(root: string, files: readonly FileToWrite[]): void {
  for (const { name, before } of files) {
    if (readIfPresent(root, name) === before) continue;
    throw new Failure(`${name} was changed while this ran, so nothing was written. Run this again.`);
  }
  const staged = files.map((file) => {
    const path = targetFor(join(root, file.name));
    return { path, temporary: `${path}.${process.pid}.tmp`, file };
  });
  const written: string[] = [];
  try {
    for (const { path, temporary, file } of staged) {
      const mode = modeFor(path, file);
      writeFileSync(temporary, file.text, { mode, flag: "wx" });
      written.push(temporary);
      chmodSync(temporary, mode); // the umask may have taken bits off
    }
    putInPlace(staged);
  } catch (error) {
    throw new Failure(`Nothing was written: ${(error as Error).message}`); // of node:fs
  } finally {
    for (const temporary of written) rmSync(temporary, { force: true });
  }
}

/** Where a symbolic link leads, be there a file or not; any other path is its own target. */
function targetFor(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink ? resolve(dirname(path), readlinkSync(path)) : path;
}

function modeFor(path: string, { mode }: FileToWrite): number {
  const isPrivate = (mode & OTHERS) === 0;
  return existsSync(path) && !isPrivate ? statSync(path).mode : mode;
}

/** Renames all, or takes back what it has renamed. */
function putInPlace(staged: readonly Staged[]): void {
  const done: Staged[] = [];
  try {
    for (const each of staged) {
      renameSync(each.temporary, each.path);
      done.push(each);
    }
  } catch (error) {
    for (const { path, file } of done) {
      if (file.before === undefined) rmSync(path);
      else writeFileSync(path, file.before);
    }
    throw error;
  }
}
