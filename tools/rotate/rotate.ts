import { Failure } from "../lib/failure.ts";
import { type Project, readProject } from "../lib/project.ts";
import { createAsk } from "../lib/questions.ts";
import { describeKey } from "../lib/usable-key.ts";
import type { Context } from "./context.ts";
import { checkPreviousPair, waitForKey } from "./coze-check.ts";
import { runsOtherVersion } from "./deployed-version.ts";
import { describePlan } from "./describe-plan.ts";
import { askNewKid, askPairs, type KeyRotation } from "./key-pairs.ts";
import { refuseChanged, refuseUnsuitable, requireOptions } from "./preconditions.ts";
import { readRecordedPairs } from "./recorded-pairs.ts";
import { filesWithoutPrevious, filesWithPairs } from "./rotation-files.ts";
import { lockRotation } from "./rotation-lock.ts";
import {
  GIVE_UP,
  type RotationState,
  readRotationState,
  removeRotationState,
  writeRotationState,
} from "./rotation-state.ts";
import { checkService, requireAddress } from "./service-check.ts";
import { deployPairs, removePrevious } from "./steps.ts";

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
 * Rotates the private key without an outage: tries the new pair at Coze, deploys both, checks the service, removes the old
 * pair, and says when its key may be deleted. Each step is recorded when it is done; the next run goes on after it, and
 * first checks again what the steps before have achieved.
 * @throws Failure when an answer is missing and nobody can be asked, another run is at work, or a step or its check fails.
 * @throws Interrupted on Ctrl-C at a question.
 */
export async function rotate(context: Context): Promise<RotateResult> {
  using _lock = context.options.dryRun ? undefined : lockRotation(context);
  return await beginOrGoOn(context);
}

async function beginOrGoOn(context: Context): Promise<RotateResult> {
  const { root, env, options, ports } = context;
  const project = readProject(root, env);
  const begun = readRotationState(context);
  if (begun === undefined) refuseUnsuitable(project);
  await requireOptions(project, options, ports, begun);
  return begun === undefined ? begin(project, context) : goOn(begun, project, context);
}

async function begin(project: Project, context: Context): Promise<RotateResult> {
  const { options, ports } = context;
  const ask = createAsk(ports.prompter, options.yes);
  const asked = await askPairs(options, project, { ...ports, ask });
  const { oldKid, previous } = asked;
  ports.say(await describePlan(asked, project));
  if (options.dryRun) return resultFor("planned", { oldKid, newKid: asked.current.kid });

  if (previous !== undefined) {
    const advice = "Give the right one with --old-key-file and --old-kid, or --no-old-key.";
    await checkPreviousPair(project, previous, ports, advice);
  }
  const text = "Coze does not know this KID. Press Enter to go on waiting, or type the right one";
  const askKid = (unknown: string) => askNewKid(ask, { text, given: undefined, initial: unknown }, oldKid);
  const current = await waitForKey(project, asked.current, ports, askKid);
  if (!(await confirm("Write the files, and deploy?", context))) {
    return resultFor("stopped", { oldKid, newKid: current.kid });
  }
  return takeSteps(record({ ...asked, current }, project, context), context);
}

/**
 * The files come first: what a deployment has must not be lost when this process ends during it. They are read again,
 * because much may have been edited since the first question.
 */
function record(rotation: KeyRotation, before: Project, context: Context): RotationState {
  const { oldKid, previous, current } = rotation;
  const state: RotationState = {
    step: "deploy",
    oldKid,
    newKid: current.kid,
    newKeyDigest: describeKey(current.privateKey).publicKeyDigest,
    ...(previous !== undefined && { oldKeyDigest: describeKey(previous.privateKey).publicKeyDigest }),
    startedAt: new Date(context.ports.now()).toISOString(),
  };
  const now = readProject(context.root, context.env);
  refuseChanged(before, now);
  writeRotationState(context, state, filesWithPairs(now, rotation));
  return state;
}

async function goOn(state: RotationState, project: Project, context: Context): Promise<RotateResult> {
  const { options, ports } = context;
  const { oldKid, newKid, startedAt, step } = state;
  if (options.kid !== undefined && options.kid !== newKid) {
    throw new Failure(
      `The rotation from ${oldKid} to ${newKid} is not finished. Finish it without --kid, or give it up: ${GIVE_UP}.`,
    );
  }
  ports.say(`Going on with the rotation from ${oldKid} to ${newKid}, which began at ${startedAt}. Next step: ${step}`);
  if (options.dryRun) return resultFor("planned", state);

  const { current, previous } = await readRecordedPairs(state, project);
  await waitForKey(project, current, ports);
  if (previous !== undefined && options.oldKey) {
    await checkPreviousPair(project, previous, ports, "If it is deleted at Coze, go on with --no-old-key.");
  }
  if (step !== "deploy" && !(await runsOtherVersion(state, requireAddress(state, context), ports))) {
    await checkService(state, current, context);
    return takeSteps(state, context);
  }
  if (!(await confirm("Deploy?", context))) return resultFor("stopped", state);
  const next = step === "deploy" ? state : stateToDeployAgain(state);
  writeRotationState(context, next);
  return takeSteps(next, context);
}

/** Before the step "wait", the files still have the old pair, which is deployed with the new one then. */
function stateToDeployAgain({ oldTokensEndAt, oldKeyDigest, ...state }: RotationState): RotationState {
  const hasOldPair = state.step === "remove" && oldKeyDigest !== undefined;
  return { ...state, step: "deploy", mayHavePrevious: true, ...(hasOldPair && { oldKeyDigest }) };
}

async function takeSteps(begun: RotationState, context: Context): Promise<RotateResult> {
  let state = begun;
  if (state.step === "deploy") {
    state = await deployPairs(state, context);
    writeRotationState(context, state);
  }
  if (state.step === "remove") {
    if (!(await confirm("Remove the old pair from the Worker?", context))) return resultFor("stopped", state);
    state = await removePrevious(state, context);
    writeRotationState(context, state, filesWithoutPrevious(readProject(context.root, context.env)));
  }
  return finish(state, context);
}

/** Never before the last token of the old key has ended: deleting the key cannot be undone. */
function finish(state: RotationState, context: Context): RotateResult {
  const { oldKid, newKid, oldTokensEndAt = "" } = state;
  const { ports } = context;
  if (ports.now() < Date.parse(oldTokensEndAt)) {
    ports.say(
      `The service uses ${newKid} alone. Not finished yet: do not delete ${oldKid} at Coze before ${oldTokensEndAt}, ` +
        "because tokens that were issued for it may end with it. After that, run npm run rotate again.",
    );
    return resultFor("waiting", state);
  }
  removeRotationState(context);
  ports.say(`Finished. Delete the old key, ${oldKid}, in the Coze console now; keep ${newKid}.`);
  return resultFor("finished", state);
}

async function confirm(question: string, { options, ports }: Context): Promise<boolean> {
  return options.yes || (ports.prompter !== undefined && (await ports.prompter.confirm(question, true)));
}

function resultFor(
  outcome: RotateResult["outcome"],
  { oldKid, newKid, oldTokensEndAt }: Pick<RotationState, "oldKid" | "newKid" | "oldTokensEndAt">,
): RotateResult {
  return { outcome, oldKid, newKid, deleteAfter: oldTokensEndAt };
}
