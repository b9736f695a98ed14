import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { Failure } from "../lib/failure.ts";
import type { Project } from "../lib/project.ts";

import { type FileToWrite, readIfPresent, writeFiles } from "../setup/write-files.ts";

/** What is still to do: the steps of docs/operations.md, "Changing the key without an outage". */
const STEPS = ["deploy", "remove", "wait"] as const;
export type Step = (typeof STEPS)[number];

const rotation = z.strictObject({
  /** The next one. */
  step: z.enum(STEPS),
  oldKid: z.string(),
  newKid: z.string(),
  /** Whether the deployment has the old pair too, as the previous one. */
  hasPrevious: z.boolean(),
  startedAt: z.iso.datetime(),
  /** Where the service responds, once that is known. */
  url: z.optional(z.url()),
  /** When the last token that was issued for the old key has ended; set by the step before "wait". */
  oldTokensEndAt: z.optional(z.iso.datetime()),
});

/** How far a change of the key has come. It has no secrets. */
export type Rotation = z.infer<typeof rotation>;

/**
 * Reads how far the change of the key of an environment has come; `undefined` if none has begun.
 * @throws Failure when the file is damaged.
 */
export function readRotation(project: Pick<Project, "root" | "env">): Rotation | undefined {
  const path = join(project.root, rotationFile(project));
  if (!existsSync(path)) return undefined;
  try {
    return rotation.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    throw new Failure(
      `${path} is damaged. Delete it, and go on by hand: docs/operations.md, Changing the key without an outage.`,
    );
  }
}

/** Writes how far it has come, together with other files: all or none. */
export function writeRotation(
  project: Pick<Project, "root" | "env">,
  rotation: Rotation,
  files: readonly FileToWrite[] = [],
): void {
  const name = rotationFile(project);
  mkdirSync(dirname(join(project.root, name)), { recursive: true });
  const text = `${JSON.stringify(rotation, null, 2)}\n`;
  writeFiles(project.root, [...files, { name, text, mode: 0o600, before: readIfPresent(project.root, name) }]);
}

/** Forgets a change of the key, which is finished then. */
export function removeRotation(project: Pick<Project, "root" | "env">): void {
  rmSync(join(project.root, rotationFile(project)));
}

/** Where it stands, in a folder that git ignores and wrangler has too. */
export function rotationFile({ env }: Pick<Project, "env">): string {
  return `.wrangler/rotate${env === undefined ? "" : `.${env}`}.json`;
}
