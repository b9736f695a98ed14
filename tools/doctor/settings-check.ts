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
  const stored = project.stored.filter((name) => !(name in environment));
  const missing = view === "deployed" ? missingSecrets(environment, stored) : [];
  const placeholders = Object.fromEntries([...stored, ...missing].map((name) => [name, "not here"]));
  const parsed = await parseConfig({ ...environment, ...placeholders });

  if ("issues" in parsed) {
    const findings = parsed.issues.map(({ path, message }) => failed(path, message, hintFor(path, message, project)));
    return { findings, config: undefined };
  }
  const known = Object.keys(environment).length;
  const detail = `${known} variables and bindings are right`;
  const inStore = stored.length > 0 ? `; in the Secrets Store: ${stored.join(", ")}` : "";
  return {
    findings: [{ ...passed("settings", detail + inStore, noteOn(missing, project)), topic: "deployment" }],
    config: parsed.value,
  };
}

function noteOn(missing: readonly string[], { env }: Project): string {
  if (missing.length === 0) return "";
  const isNotSetUp = missing.includes("CLIENT_ID") && missing.includes("KID");
  const note = `The Worker must have these as secrets: ${missing.join(", ")}.`;
  return isNotSetUp ? `${note} Or run ${setupCommand(env)} first.` : note;
}

/** Settings that wrangler.toml need not have, as they can be secrets, but that the rest of it calls for. */
function missingSecrets(environment: Environment, stored: readonly string[]): readonly string[] {
  const hasTurnstile = JSON.stringify(environment["CALLERS"] ?? "").includes("turnstile");
  const names = [
    "CLIENT_ID",
    "KID",
    "PRIVATE_KEY",
    ...(hasTurnstile ? ["TURNSTILE_SECRET_KEY"] : []),
    ...("PREVIOUS_KID" in environment ? ["PREVIOUS_PRIVATE_KEY"] : []),
  ];
  return names.filter((name) => stringIn(environment, name) === undefined && !stored.includes(name));
}

function hintFor(path: string, message: string, { env }: Project): string {
  const isRequired = message.startsWith("is required");
  if (isRequired && ["CLIENT_ID", "KID", "PRIVATE_KEY"].includes(path)) {
    return `Run ${setupCommand(env)}.`;
  }
  return `Fix it in ${varsFileFor(env)}, or under [${varsTable(env)}] in wrangler.toml: see README.md, Settings.`;
}
