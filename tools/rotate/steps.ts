import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { deployedUrl } from "../deploy/deploy.ts";
import { deploySecrets } from "../deploy/deploy-secrets.ts";
import type { RunWrangler } from "../deploy/run-wrangler.ts";
import { Failure } from "../lib/failure.ts";
import { createPrivateFolder } from "../lib/private-folder.ts";
import { readProject } from "../lib/project.ts";
import type { Context } from "./context.ts";
import { readVersion, waitForVersion } from "./deployed-version.ts";
import { readConfig } from "./read-config.ts";
import { readRecordedPairs } from "./recorded-pairs.ts";
import type { RotationState } from "./rotation-state.ts";
import { addressOf, checkNewToken, checkService, requireAddress } from "./service-check.ts";

/** A version of the Worker takes seconds to be gone everywhere: until then, the old key may still be used. */
const LAST_USE_SECONDS = 60;

/**
 * Deploys the pairs that the files have in one step, and checks the service with them.
 * @throws Failure when they are not those of the rotation, or the deployment or the check fails; it can be repeated then.
 */
export async function deployPairs(state: RotationState, context: Context): Promise<RotationState> {
  const { root, env, options, ports } = context;
  const project = readProject(root, env);
  const { current, previous } = await readRecordedPairs(state, project);
  const { tokenDurationSeconds } = await readConfig(project, current);
  const secrets = {
    PRIVATE_KEY: current.privateKey,
    ...(!("KID" in project.deployed) && { KID: current.kid }),
    ...(previous !== undefined && { PREVIOUS_KID: previous.kid, PREVIOUS_PRIVATE_KEY: previous.privateKey }),
  };
  const address = addressOf(state, context);
  const before = address && (await readVersion(address));
  let url = options.url;
  const runWrangler: RunWrangler = async (args, isQuiet) => {
    const run = await ports.runWrangler(args, isQuiet);
    url ??= deployedUrl(run.targets);
    return run;
  };

  const code = await deploySecrets(
    secrets,
    { root, env, url, credential: ports.credential, isRotation: true },
    { ...ports, runWrangler },
  );
  if (code !== 0) {
    throw new Failure("The new pair is not deployed, or does not work there. Run npm run rotate again.");
  }
  const deployed = url ?? requireAddress(state, context);
  const version = await waitForVersion(deployed, before, ports);
  // wrangler may name no address, and then the service was not checked.
  await (url === undefined ? checkService(state, current, context) : checkNewToken(url, current, context));
  const reached = { ...state, ...(url !== undefined && { url: url.href }), version };
  if (previous !== undefined || state.mayHavePrevious) return { ...reached, step: "remove" };
  return { ...reached, step: "wait", oldTokensEndAt: endOfOldTokens(ports.now(), tokenDurationSeconds) };
}

/**
 * Removes the previous pair from the Worker, where it may be gone already, and checks the service.
 * @throws Failure when the files have another pair than the rotation, or wrangler or the check fails; it can be repeated
 * then.
 */
export async function removePrevious(state: RotationState, context: Context): Promise<RotationState> {
  const { root, env, ports } = context;
  const project = readProject(root, env);
  const { current } = await readRecordedPairs(state, project);
  const { tokenDurationSeconds } = await readConfig(project, current);
  const address = requireAddress(state, context);
  const before = await readVersion(address);
  using folder = createPrivateFolder("rotate");
  const file = join(folder.path, "removed.json");
  writeFileSync(file, JSON.stringify({ PREVIOUS_KID: null, PREVIOUS_PRIVATE_KEY: null }));
  const { code, output } = await ports.runWrangler(["secret", "bulk", file, `--env=${env ?? ""}`], false);
  if (code !== 0) {
    throw new Failure(
      `${output}\nThe old pair could not be removed; the service has both. Run npm run rotate again.`.trimStart(),
    );
  }
  const oldTokensEndAt = endOfOldTokens(ports.now(), tokenDurationSeconds);
  const version = await waitForVersion(address, before, ports);
  await checkService(state, current, context);
  return { ...state, step: "wait", version, oldTokensEndAt };
}

/** When the last token of the old key has ended, if the old key goes out of use now: ISO 8601. */
function endOfOldTokens(now: number, tokenDurationSeconds: number): string {
  return new Date(now + (tokenDurationSeconds + LAST_USE_SECONDS) * 1000).toISOString();
}
