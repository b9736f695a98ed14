import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../lib/failure.ts";
import { readCallersFile } from "./callers-file.ts";
import { configuredCoze, forgetTokens } from "./configured-coze.ts";
import { startEmulatedCoze } from "./emulated-coze.ts";
import { waitForHealth } from "./health.ts";
import { problemsMessage, readyMessage, startMessage } from "./messages.ts";
import { HOST, type Port, requireFreePort } from "./ports.ts";
import { jsonFormat, readableFormat } from "./terminal-line.ts";
import { findVarsFile } from "./vars-file.ts";
import { runWranglerDev } from "./wrangler-dev.ts";

/** It takes a few seconds, and longer on a machine that does much else. */
const START_LIMIT_SECONDS = 60;

export type ServiceOptions = {
  readonly port: Port;
  /** 4000 when left out, or a free one where that is taken. */
  readonly emulatorPort: Port | undefined;
  /** `.dev.vars` when left out, where there is one. */
  readonly varsFile: string | undefined;
  /** A JSON list that replaces the callers of wrangler.toml. */
  readonly callersFile: string | undefined;
  /** Whether tokens come from the emulator even though there is a `.dev.vars`. */
  readonly isEmulated: boolean;
  /** Whether to forget the tokens that earlier runs on this port have cached. */
  readonly isFresh: boolean;
  /** Whether to show the Worker's log as production has it. */
  readonly isJson: boolean;
};

/**
 * Runs the Worker for as long as wrangler lives, with an emulator where no vars file leads to the real Coze.
 * @param resources takes over everything that must be ended.
 * @throws Failure when something cannot start, or ends by itself.
 */
export async function runService(options: ServiceOptions, resources: AsyncDisposableStack): Promise<never> {
  const { port, emulatorPort } = options;
  const varsFile = options.isEmulated ? undefined : await findVarsFile(options.varsFile);
  const callers = options.callersFile === undefined ? undefined : await readCallersFile(options.callersFile);
  await requireFreePort(port);
  if (options.isFresh) await forgetTokens(port.number);
  console.log(startMessage(varsFile?.name));

  const coze = varsFile ? configuredCoze(varsFile, port.number) : await startEmulatedCoze(emulatorPort);
  resources.defer(coze.close);
  const wranglerArguments = [...coze.wranglerArguments, ...(callers?.wranglerArguments ?? [])];
  const wrangler = runWranglerDev(port.number, wranglerArguments, options.isJson ? jsonFormat : readableFormat);
  resources.defer(wrangler.end);

  const url = `http://${HOST}:${port.number}/`;
  const found = wrangler.ready.then(() => waitForHealth(url));
  const health = await Promise.race([found, wrangler.ended, startLimit()]);
  if (health.status === "misconfigured") {
    const fileOf = async (setting: string) =>
      callers !== undefined && setting.startsWith("CALLERS") ? callers.name : coze.fileOf(setting);
    throw new Failure(await problemsMessage(health.problems, { fileOf }));
  }

  const { origin, hints } = await coze.describe();
  console.log(readyMessage(url, health.access, { origin, hints: [...(callers?.hints ?? []), ...hints] }));
  wrangler.showOutput();
  return wrangler.ended;
}

async function startLimit(): Promise<never> {
  await sleep(START_LIMIT_SECONDS * 1000, undefined, { ref: false });
  throw new Failure(`The Worker has not responded for ${START_LIMIT_SECONDS} seconds. Does npx wrangler dev work?`);
}
