import { importPrivateKey } from "../../src/adapters/coze/private-key.ts";
import { Failure } from "../lib/failure.ts";
import { type Project, stringIn } from "../lib/project.ts";
import { describeKey } from "../lib/usable-key.ts";
import { varsFileFor } from "../lib/vars-file.ts";
import type { KeyRotation } from "./key-pairs.ts";
import { GIVE_UP, type RotationState } from "./rotation-state.ts";

/**
 * Reads the pairs of a rotation that has begun from the files, as a deployment would have them. The old pair is there until
 * it is deployed.
 * @throws Failure when one of them is not the one that the rotation began with: what is tried at Coze has to be what is
 * deployed.
 */
export async function readRecordedPairs(
  state: RotationState,
  { deployed, local, env }: Project,
): Promise<Pick<KeyRotation, "current" | "previous">> {
  const { step, oldKid, newKid, newKeyDigest, oldKeyDigest } = state;
  const varsFile = varsFileFor(env);
  const privateKey = stringIn(local, "PRIVATE_KEY") ?? "";
  requireSame("KID" in deployed ? "wrangler.toml" : varsFile, "KID", newKid, kidIn({ deployed, local }));
  requireSame(varsFile, "PRIVATE_KEY", newKeyDigest, await digestFor(privateKey));
  const current = { kid: newKid, privateKey };
  if (step !== "deploy" || oldKeyDigest === undefined) return { current, previous: undefined };

  const previousKey = stringIn(local, "PREVIOUS_PRIVATE_KEY") ?? "";
  requireSame(varsFile, "PREVIOUS_KID", oldKid, stringIn(local, "PREVIOUS_KID"));
  requireSame(varsFile, "PREVIOUS_PRIVATE_KEY", oldKeyDigest, await digestFor(previousKey));
  return { current, previous: { kid: oldKid, privateKey: previousKey } };

  function requireSame(file: string, name: string, recorded: string, found: string | undefined): void {
    if (found === recorded) return;
    throw new Failure(
      `${name} in ${file} is not the one that the rotation from ${oldKid} to ${newKid} began with. ` +
        `Put it back, and run npm run rotate again. To give up instead: ${GIVE_UP}.`,
    );
  }
}

/** The KID that a deployment gets: that of wrangler.toml, else the secret. */
function kidIn({ deployed, local }: Pick<Project, "deployed" | "local">): string | undefined {
  return stringIn("KID" in deployed ? deployed : local, "KID");
}

/** `undefined` for what is no key. */
async function digestFor(privateKey: string): Promise<string | undefined> {
  return "value" in (await importPrivateKey(privateKey)) ? describeKey(privateKey).publicKeyDigest : undefined;
}
