import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressIn, lookUntilRight } from "../deploy/deploy.ts";
import { deploySecrets } from "../deploy/deploy-secrets.ts";
import type { RunWrangler } from "../deploy/run-wrangler.ts";
import { Failure } from "../lib/failure.ts";
import { createPrivateFolder } from "../lib/private-folder.ts";
import { type Project, readProject } from "../lib/project.ts";
import type { Context, RotatePorts } from "./context.ts";
import { readConfig } from "./coze-check.ts";
import type { Pair } from "./key-pairs.ts";
import type { Rotation } from "./rotation.ts";

/** A version of the Worker takes seconds to be gone everywhere: until then, the old key may still be used. */
const LAST_USE_SECONDS = 60;

/**
 * Deploys the pairs that the files have in one step, and checks the service with them.
 * @throws Failure when the deployment or the check fails; it can be repeated then.
 */
export async function deployBoth(rotation: Rotation, context: Context): Promise<Rotation> {
  const {
    project: { root, env },
    options,
    ports,
  } = context;
  const { local, deployed } = readProject(root, env);
  const names = [
    "PRIVATE_KEY",
    ...("KID" in deployed ? [] : ["KID"]),
    ...(rotation.hasPrevious ? ["PREVIOUS_KID", "PREVIOUS_PRIVATE_KEY"] : []),
  ];
  const missing = names.find((name) => !local[name]);
  if (missing !== undefined)
    throw new Failure(`${missing} is no longer in the vars file. Put it back, and run this again.`);
  const secrets = Object.fromEntries(names.map((name) => [name, String(local[name])]));
  let url = options.url;
  const runWrangler: RunWrangler = async (args, isQuiet) => {
    const run = await ports.runWrangler(args, isQuiet);
    url ??= addressIn(run.targets);
    return run;
  };

  const code = await deploySecrets(
    secrets,
    { root, env, url, credential: ports.credential },
    { ...ports, runWrangler },
  );
  if (code !== 0)
    throw new Failure("The new pair is not deployed, or does not work there. To try again: npm run rotate");
  const address = url === undefined ? {} : { url: url.href };
  // wrangler has named no address, so the service was not checked.
  if (url === undefined) await checkService(rotation, context);
  if (rotation.hasPrevious) return { ...rotation, ...address, step: "remove" };
  return {
    ...rotation,
    ...address,
    step: "wait",
    oldTokensEndAt: await oldTokensEndAt(rotation, { root, env }, ports),
  };
}

/**
 * Removes the previous pair from the Worker. It may be gone already.
 * @throws Failure when wrangler fails; it can be repeated then.
 */
export async function removePrevious(rotation: Rotation, { project, ports }: Context): Promise<Rotation> {
  using folder = createPrivateFolder("rotate");
  const file = join(folder.path, "removed.json");
  writeFileSync(file, JSON.stringify({ PREVIOUS_KID: null, PREVIOUS_PRIVATE_KEY: null }));
  const { code, output } = await ports.runWrangler(["secret", "bulk", file, `--env=${project.env ?? ""}`], false);
  if (code !== 0) {
    throw new Failure(
      `${output}\nThe old pair could not be removed; the service has both. To try again: npm run rotate`,
    );
  }
  return { ...rotation, step: "wait", oldTokensEndAt: await oldTokensEndAt(rotation, project, ports) };
}

/**
 * Checks the service from outside, until it is right.
 * @throws Failure when it does not get right, or its address is not known.
 */
export async function checkService({ url }: Rotation, { project, options, ports }: Context): Promise<void> {
  const known = options.url ?? url ?? (project.domain && `https://${project.domain}`);
  if (known === undefined) throw new Failure("--url is missing: where does the service respond?");
  if (await lookUntilRight(new URL(known), { ...project, credential: ports.credential }, ports)) return;
  throw new Failure("The service is not right, so the change of the key is not finished. Then again: npm run rotate");
}

/** The new pair, whose key the vars file has since the change began. */
export function currentPair({ newKid }: Rotation, { local }: Project): Pair {
  const privateKey = String(local["PRIVATE_KEY"] ?? "");
  return { kid: newKid, privateKey };
}

async function oldTokensEndAt(
  rotation: Rotation,
  { root, env }: Pick<Project, "root" | "env">,
  { now }: RotatePorts,
): Promise<string> {
  const project = readProject(root, env);
  const { tokenDurationSeconds } = await readConfig(project, currentPair(rotation, project));
  return new Date(now() + (tokenDurationSeconds + LAST_USE_SECONDS) * 1000).toISOString();
}
