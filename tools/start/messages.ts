import type { SettingProblem } from "../../src/console/health.ts";
import type { TokenSource } from "./token-source.ts";

const CLOSED_HINT =
  "The service is closed: replace CREDENTIAL with the API key of a caller, or with a JWT. With a JWT, leave out X-User-ID.";
const RELOAD_HINT = "Edits of wrangler.toml apply when you save the file, callers too unless they come from --callers.";

/** The first line, while there is nothing else to see. */
export function startMessage(varsFile: string | undefined): string {
  if (varsFile === undefined) return "Starting the Worker and a Coze emulator for it ...";
  return `Starting the Worker with the settings of ${varsFile} ...`;
}

/** What a newcomer needs once the Worker responds, with one line to copy: as it is, or with a credential put in. */
export function readyMessage(
  url: string,
  access: "open" | "closed",
  { origin, hints }: Awaited<ReturnType<TokenSource["describe"]>>,
): string {
  const credential = access === "closed" ? ' -H "Authorization: Bearer CREDENTIAL"' : "";
  const closedHints = access === "closed" ? [CLOSED_HINT] : [];
  return `
Ready. ${url} hands out tokens of ${origin}.

  curl -X POST ${url}${credential} -H "X-User-ID: user123"

${[...closedHints, RELOAD_HINT, ...hints, "Stop: Ctrl-C"].join("\n")}
`;
}

/** One line for each problem, with the file to fix, and where to read more. */
export async function problemsMessage(
  problems: readonly SettingProblem[],
  source: Pick<TokenSource, "fileOf">,
): Promise<string> {
  const lines = problems.map(async ({ setting, problem }) => `${await source.fileOf(setting)}: ${setting} ${problem}`);
  return [
    ...(await Promise.all(lines)),
    "",
    "README.md explains every setting, under Settings; .dev.vars.example shows how to write them down.",
  ].join("\n");
}
