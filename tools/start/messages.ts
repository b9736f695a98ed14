import type { SettingProblem } from "./health.ts";
import type { TokenSource } from "./token-source.ts";

/** The first line, while there is nothing else to see. */
export function startMessage(varsFile: string | undefined): string {
  if (varsFile === undefined) return "Starting the Worker and a Coze emulator for it ...";
  return `Starting the Worker with the settings of ${varsFile} ...`;
}

/** What a newcomer needs once the Worker answers, with one line to copy. */
export function readyMessage(url: string, { origin, hints }: Awaited<ReturnType<TokenSource["describe"]>>): string {
  return `
Ready. ${url} hands out tokens of ${origin}.

  curl -X POST ${url} -H "X-User-ID: user123"

${[...hints, "Stop: Ctrl-C"].join("\n")}
`;
}

/** One line for each problem, with the file to mend, and where the cure is. */
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
