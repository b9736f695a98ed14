import { type Config, parseConfig } from "../../src/config/config.ts";
import { setupCommand } from "../lib/commands.ts";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { type Environment, type Project, stringIn } from "../lib/project.ts";
import { varsFileFor } from "../lib/vars-file.ts";
import { varsTable } from "../lib/vars-table.ts";

/** Which settings to check: those on this machine, or those that a deployment sets, where secrets are elsewhere. */
export type View = "local" | "deployed";

/** What the settings of one view are, and what is wrong with them. */
type CheckedSettings = {
  readonly findings: readonly Finding[];
  /** `undefined` if a setting is wrong. */
  readonly config: Config | undefined;
};

/** Checks every setting as the Worker does, one finding for each issue. */
export async function checkSettings(project: Project, view: View): Promise<CheckedSettings> {
  const environment = project[view];
  const elsewhere =
    view === "deployed" ? missingSecrets(environment) : project.stored.filter((name) => !(name in environment));
  const placeholders = Object.fromEntries(elsewhere.map((name) => [name, "not here"]));
  const parsed = await parseConfig({ ...environment, ...placeholders });

  if ("issues" in parsed) {
    const findings = parsed.issues.map(({ path, message }) => failed(path, message, hintFor(path, message, project)));
    return { findings, config: undefined };
  }
  const known = Object.keys(environment).length;
  const note = elsewhere.length > 0 ? `The Worker must have these as secrets: ${elsewhere.join(", ")}.` : "";
  return {
    findings: [{ ...passed("settings", `${known} variables and bindings are right`, note), topic: "deployment" }],
    config: parsed.value,
  };
}

/** Settings that wrangler.toml need not have, as they can be secrets, but that the rest of it calls for. */
function missingSecrets(environment: Environment): readonly string[] {
  const hasTurnstile = JSON.stringify(environment["CALLERS"] ?? "").includes("turnstile");
  const names = [
    "CLIENT_ID",
    "KID",
    "PRIVATE_KEY",
    ...(hasTurnstile ? ["TURNSTILE_SECRET_KEY"] : []),
    ...("PREVIOUS_KID" in environment ? ["PREVIOUS_PRIVATE_KEY"] : []),
  ];
  return names.filter((name) => stringIn(environment, name) === undefined);
}

function hintFor(path: string, message: string, { env }: Project): string {
  const isRequired = message.startsWith("is required");
  if (isRequired && ["CLIENT_ID", "KID", "PRIVATE_KEY"].includes(path)) {
    return `Run ${setupCommand(env)}.`;
  }
  return `Fix it in ${varsFileFor(env)}, or under [${varsTable(env)}] in wrangler.toml: see README.md, Settings.`;
}
