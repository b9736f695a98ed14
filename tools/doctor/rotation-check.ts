import { rotateCommand } from "../lib/commands.ts";
import { type Finding, failed } from "../lib/finding.ts";
import type { Project } from "../lib/project.ts";
import { readRotationState, stateFile } from "../rotate/rotation-state.ts";

/**
 * Finds a rotation whose new pair is in the files and not deployed yet: any other deployment would send the new KID without
 * its key.
 * @throws Failure when its record is damaged.
 */
export function checkRotation(project: Pick<Project, "root" | "env">): readonly Finding[] {
  const state = readRotationState(project);
  if (state?.step !== "deploy") return [];
  const detail = `from ${state.oldKid} to ${state.newKid} in ${stateFile(project)}: the new pair is not deployed`;
  const hint = `A key rotation has begun: go on with ${rotateCommand(project.env)}.`;
  return [{ ...failed("rotation", detail, hint), topic: "rotation" }];
}
