import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { Failure } from "../lib/failure.ts";
import type { Project } from "../lib/project.ts";
import { type FileToWrite, PRIVATE_MODE, readIfPresent, writeFiles } from "../lib/write-files.ts";

/** Where the steps are described for a key that this command cannot rotate. */
export const BY_HAND = "docs/operations.md, By hand";

/** Where the steps of this command are described, and how to give up. */
export const GIVE_UP = "docs/operations.md, Rotating the private key without an outage";

const rotationState = z.strictObject({
  /** The next one of the steps in {@link GIVE_UP}. */
  step: z.enum(["deploy", "remove", "wait"]),
  oldKid: z.string(),
  newKid: z.string(),
  /** SHA-256 of the public keys (SPKI), so that no other key is taken for them. */
  newKeyDigest: z.string(),
  /** Absent if the deployment has no previous pair. */
  oldKeyDigest: z.optional(z.string()),
  startedAt: z.iso.datetime(),
  /** Where the service responds, once that is known. */
  url: z.optional(z.url()),
  /** The id at Cloudflare of the version of the Worker that it has deployed last, where `/health` says it. */
  version: z.optional(z.string()),
  /** Set when another version was there meanwhile, which may have left a previous pair in the Worker. */
  mayHavePrevious: z.optional(z.literal(true)),
  /** When the last token that was issued for the old key has ended; set by the step before "wait". */
  oldTokensEndAt: z.optional(z.iso.datetime()),
});

/** How far a rotation has come. It has no secrets. */
export type RotationState = z.infer<typeof rotationState>;

/**
 * Reads how far the rotation of an environment has come; `undefined` if none has begun.
 * @throws Failure when the file is damaged.
 */
export function readRotationState(project: Pick<Project, "root" | "env">): RotationState | undefined {
  const path = join(project.root, stateFile(project));
  if (!existsSync(path)) return undefined;
  try {
    return rotationState.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    throw new Failure(`${path} is damaged. Delete it, and go on by hand: ${GIVE_UP}.`);
  }
}

/** Writes how far it has come, together with other files: all or none. */
export function writeRotationState(
  project: Pick<Project, "root" | "env">,
  state: RotationState,
  files: readonly FileToWrite[] = [],
): void {
  const name = stateFile(project);
  mkdirSync(dirname(join(project.root, name)), { recursive: true });
  const text = `${JSON.stringify(state, null, 2)}\n`;
  writeFiles(project.root, [...files, { name, text, mode: PRIVATE_MODE, before: readIfPresent(project.root, name) }]);
}

/** Forgets a rotation, which is finished then. */
export function removeRotationState(project: Pick<Project, "root" | "env">): void {
  rmSync(join(project.root, stateFile(project)));
}

/** Where it stands, in a folder that git ignores and wrangler has too. */
export function stateFile({ env }: Pick<Project, "env">): string {
  return `.wrangler/rotate${env === undefined ? "" : `.${env}`}.json`;
}
