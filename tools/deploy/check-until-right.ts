import { setTimeout as sleep } from "node:timers/promises";
import { checkDeployment } from "../doctor/deployment.ts";
import { expectationsFor } from "../doctor/expectations.ts";
import { rollbackCommand } from "../lib/commands.ts";
import { type Finding, findingsTable, hasFailed } from "../lib/finding.ts";
import { readProject } from "../lib/project.ts";

/** A new version takes seconds to be everywhere, a new host name and its certificate minutes. */
const MAX_CHECKS = 4;
const MAX_CHECKS_OF_A_NEW_HOST = 36;

/** Which deployment to check, and as whom. */
export type CheckOptions = {
  readonly root: string;
  /** `undefined` is the top level. */
  readonly env: string | undefined;
  /** Of a caller: an API key or a JWT, to request a token of a closed service. */
  readonly credential?: string | undefined;
};

/** What the checks of a new deployment need of the outside: a person to tell, and time. */
export type CheckPorts = {
  readonly say: (text: string) => void;
  /** How wide a table may be. */
  readonly width: number;
  /** Between two checks of a new deployment. */
  readonly pauseMs: number;
};

/**
 * Checks the deployed service until it is right, for some time, and shows what was found. Shows how to roll back if it
 * stays wrong.
 */
export async function checkUntilRight(
  url: URL,
  { root, env, credential }: CheckOptions,
  ports: CheckPorts,
): Promise<boolean> {
  const expected = { ...expectationsFor(readProject(root, env)), credential, env };
  let findings = await checkDeployment(url, expected);
  for (let checks = 1; hasFailed(findings) && checks < maxChecksFor(findings); checks += 1) {
    const wrong = findings.filter(({ ok }) => !ok).map(({ name }) => name);
    ports.say(`Not right yet: ${wrong.join(", ")}. Checking again in ${ports.pauseMs / 1000} s ...`);
    await sleep(ports.pauseMs);
    findings = await checkDeployment(url, expected);
  }
  ports.say(findingsTable(findings, { width: ports.width }));
  if (!hasFailed(findings)) return true;
  if (isUnreachable(findings)) {
    ports.say(
      `${url.host} cannot be reached from this machine. The service may be fine: check it from another network.`,
    );
  }
  ports.say(`To roll back to the previous version, if there is one: ${rollbackCommand(env)}`);
  return false;
}

function maxChecksFor(findings: readonly Finding[]): number {
  return isUnreachable(findings) ? MAX_CHECKS_OF_A_NEW_HOST : MAX_CHECKS;
}

function isUnreachable(findings: readonly Finding[]): boolean {
  return findings.some(({ topic, ok }) => !ok && topic === "network");
}
