import { Failure } from "../lib/failure.ts";
import type { Project } from "../lib/project.ts";
import { createAsk } from "../setup/questions.ts";
import type { FileToWrite } from "../setup/write-files.ts";
import type { Context, RotateOptions, RotatePorts } from "./context.ts";
import { checkPreviousPair, readConfig, waitForKey } from "./coze-check.ts";
import { askPairs, type Change } from "./key-pairs.ts";
import { refuseUnsuitable, requireFlags } from "./preconditions.ts";
import { type Rotation, readRotation, removeRotation, rotationFile, writeRotation } from "./rotation.ts";
import { filesWithBoth, filesWithoutPrevious } from "./rotation-files.ts";
import { checkService, currentPair, deployBoth, removePrevious } from "./steps.ts";

/** How far it has come. */
export type RotateResult = {
  /** `planned` is a dry run, `stopped` an answer of the person, `waiting` until the tokens of the old key have ended. */
  readonly outcome: "planned" | "stopped" | "waiting" | "finished";
  readonly oldKid: string;
  readonly newKid: string;
  /** When the old key may be deleted at Coze, once that is known (ISO 8601). */
  readonly deleteAfter: string | undefined;
};

/**
 * Changes the key without an outage: tries the new pair at Coze, deploys both, checks the service, removes the old pair,
 * and says when its key may be deleted. Each step is recorded when it is done; the next run goes on after it, and first
 * checks again what the steps before have achieved.
 * @throws Failure when an answer is missing and nobody can be asked, or a step or its check fails.
 * @throws Interrupted on Ctrl-C at a question.
 */
export async function rotate(project: Project, options: RotateOptions, ports: RotatePorts): Promise<RotateResult> {
  const begun = readRotation(project);
  if (begun === undefined) refuseUnsuitable(project);
  const context = { project, options, ports };
  requireFlags(context, begun);
  if (begun !== undefined) return goOn(begun, context);

  const change = await askPairs(options, project, { ...ports, ask: createAsk(ports.prompter, options.yes) });
  const files = filesWithBoth(project, change);
  ports.say(describePlan(change, files, await readConfig(project, change.current)));
  if (options.dryRun) return resultFor("planned", { oldKid: change.oldKid, newKid: change.current.kid });
  if (change.previous !== undefined) await checkPreviousPair(project, change.previous, ports);
  await waitForKey(project, change.current, ports);
  return begin(change, files, context);
}

/** The files come first: what a deployment has must not be lost when this process ends during it. */
async function begin(change: Change, files: readonly FileToWrite[], context: Context): Promise<RotateResult> {
  const { project, ports } = context;
  const rotation: Rotation = {
    step: "deploy",
    oldKid: change.oldKid,
    newKid: change.current.kid,
    hasPrevious: change.previous !== undefined,
    startedAt: new Date(ports.now()).toISOString(),
  };
  if (!(await confirm("Write the files, and deploy?", context))) return resultFor("stopped", rotation);
  writeRotation(project, rotation, files);
  return takeSteps(rotation, context);
}

async function goOn(rotation: Rotation, context: Context): Promise<RotateResult> {
  const { project, options, ports } = context;
  const { oldKid, newKid, startedAt, step } = rotation;
  if (options.kid !== undefined && options.kid !== newKid) {
    throw new Failure(
      `The change from ${oldKid} to ${newKid} is not finished. Finish it without --kid, or delete ${rotationFile(project)}.`,
    );
  }
  ports.say(`Going on with the change from ${oldKid} to ${newKid}, which began at ${startedAt}. Next step: ${step}`);
  if (options.dryRun) return resultFor("planned", rotation);

  await waitForKey(project, currentPair(rotation, project), ports);
  if (step === "deploy" && !(await confirm("Deploy?", context))) return resultFor("stopped", rotation);
  if (step === "remove") await checkService(rotation, context);
  return takeSteps(rotation, context);
}

async function takeSteps(rotation: Rotation, context: Context): Promise<RotateResult> {
  const { project, ports } = context;
  if ("CALLERS" in project.deployed && ports.credential === undefined) {
    ports.say(
      "The variable CREDENTIAL has no API key or JWT of a caller, so no check requests a token of the service.",
    );
  }
  let reached = rotation;
  if (reached.step === "deploy") {
    reached = await deployBoth(reached, context);
    writeRotation(project, reached);
  }
  if (reached.step === "remove") {
    if (!(await confirm("Remove the old pair from the Worker?", context))) return resultFor("stopped", reached);
    reached = await removePrevious(reached, context);
    writeRotation(project, reached, filesWithoutPrevious(project));
  }
  await checkService(reached, context);
  return finish(reached, context);
}

/** Never before the last token of the old key has ended: deleting the key cannot be undone. */
function finish(rotation: Rotation, { project, ports }: Context): RotateResult {
  const { oldKid, newKid, oldTokensEndAt = "" } = rotation;
  if (ports.now() < Date.parse(oldTokensEndAt)) {
    ports.say(
      `The service uses ${newKid} alone. Not finished yet: do not delete ${oldKid} at Coze before ${oldTokensEndAt}, ` +
        "because tokens that were issued for it may end with it. Then again: npm run rotate",
    );
    return resultFor("waiting", rotation);
  }
  removeRotation(project);
  ports.say(`Finished. Delete the old key, ${oldKid}, in the Coze console now; keep ${newKid}.`);
  return resultFor("finished", rotation);
}

async function confirm(question: string, { options, ports }: Context): Promise<boolean> {
  return options.yes || (ports.prompter !== undefined && (await ports.prompter.confirm(question, true)));
}

function describePlan(
  { oldKid, previous, current }: Change,
  files: readonly FileToWrite[],
  { tokenEndpoint, tokenDurationSeconds }: { readonly tokenEndpoint: string; readonly tokenDurationSeconds: number },
): string {
  const deployed = previous === undefined ? "the new pair alone" : "the new pair, and the old one as the previous one";
  const steps = [
    `try the key at ${new URL(tokenEndpoint).host}, until Coze knows it`,
    `write ${files.map(({ name }) => name).join(" and ")}, and deploy ${deployed}, in one step`,
    "check the service",
    ...(previous === undefined ? [] : ["remove the old pair from the Worker, and check the service"]),
    `say when the old key may be deleted at Coze: when its tokens have ended, after ${tokenDurationSeconds} s`,
  ];
  return [
    `To change the key from ${oldKid} to ${current.kid}:`,
    ...steps.map((step, index) => `  ${index + 1}. ${step}`),
  ].join("\n");
}

function resultFor(
  outcome: RotateResult["outcome"],
  { oldKid, newKid, oldTokensEndAt }: Pick<Rotation, "oldKid" | "newKid" | "oldTokensEndAt">,
): RotateResult {
  return { outcome, oldKid, newKid, deleteAfter: oldTokensEndAt };
}
