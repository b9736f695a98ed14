import type { Project } from "../lib/project.ts";
import type { KeyRotation } from "./key-pairs.ts";
import { readConfig } from "./read-config.ts";
import { filesWithPairs } from "./rotation-files.ts";

/**
 * Describes the steps that a rotation will take, as a numbered list.
 * @throws Failure when a setting is wrong, or wrangler.toml cannot be edited.
 */
export async function describePlan(rotation: KeyRotation, project: Project): Promise<string> {
  const { oldKid, previous, current } = rotation;
  const { tokenEndpoint, tokenDurationSeconds } = await readConfig(project, current);
  const names = filesWithPairs(project, rotation).map(({ name }) => name);
  const deployed = previous === undefined ? "the new pair alone" : "the new pair, and the old one as the previous one";
  const steps = [
    `try the key at ${new URL(tokenEndpoint).host}, until Coze knows it`,
    `write ${names.join(" and ")}, and deploy ${deployed}, in one step`,
    "check the service",
    ...(previous === undefined ? [] : ["remove the old pair from the Worker, and check the service"]),
    `say when the old key may be deleted at Coze: when its tokens have ended, after ${tokenDurationSeconds} s`,
  ];
  return [
    `To rotate the private key from ${oldKid} to ${current.kid}:`,
    ...steps.map((step, index) => `  ${index + 1}. ${step}`),
  ].join("\n");
}
