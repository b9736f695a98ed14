import { Command, InvalidArgumentError, Option } from "commander";
import { parsePort } from "./ports.ts";
import type { ServiceOptions } from "./service.ts";

const DEFAULT_PORT = 8787;

/** Reads the options and their environment variables. Prints `--help` and mistakes, and then ends the process. */
export function readCommandLine(): ServiceOptions {
  const command = new Command("npm start --")
    .description(
      "Runs the Worker on this machine. Without a .dev.vars its tokens come from a Coze emulator that is started too, " +
        "which needs no account and no network; with one they come from the real Coze.",
    )
    .addOption(portOption("--port <number>", "port of the Worker", "PORT").default(DEFAULT_PORT))
    .addOption(
      portOption("--emulator-port <number>", "port of the emulator (default: 4000, or a free one)", "EMULATOR_PORT"),
    )
    .option("--vars-file <path>", "file with the settings of the Worker, instead of .dev.vars")
    .addOption(new Option("--emulator", "use the emulator, though there is a .dev.vars").conflicts("varsFile"))
    .option("--callers <path>", "JSON file with the callers, instead of those in wrangler.toml")
    .option("--fresh", "forget the tokens that earlier runs on this port have cached")
    .option("--json", "show the log of the Worker as in production, instead of a line for each request")
    .helpOption("--help", "show this")
    .addHelpText(
      "after",
      "\nExamples:\n  npm start\n  npm start -- --port 8790\n  npm start -- --vars-file staging.vars --fresh",
    )
    .showHelpAfterError("npm start -- --help lists the options.")
    .parse();

  const {
    port,
    emulatorPort,
    varsFile,
    callers,
    emulator = false,
    fresh = false,
    json = false,
  } = command.opts<Options>();
  if (port === emulatorPort) command.error(`error: the Worker and the emulator cannot both have port ${port}`);
  return {
    port: { number: port, option: "--port", variable: "PORT" },
    emulatorPort:
      emulatorPort === undefined
        ? undefined
        : { number: emulatorPort, option: "--emulator-port", variable: "EMULATOR_PORT" },
    varsFile,
    callersFile: callers,
    isEmulated: emulator,
    isFresh: fresh,
    isJson: json,
  };
}

type Options = {
  readonly port: number;
  readonly emulatorPort?: number;
  readonly varsFile?: string;
  readonly callers?: string;
  readonly emulator?: boolean;
  readonly fresh?: boolean;
  readonly json?: boolean;
};

function portOption(flags: string, description: string, variable: string): Option {
  return new Option(flags, description).env(variable).argParser((text) => {
    const port = parsePort(text);
    if (port === undefined) throw new InvalidArgumentError("A port is a whole number from 1 to 65535.");
    return port;
  });
}
