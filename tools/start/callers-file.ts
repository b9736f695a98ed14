import { readFile } from "node:fs/promises";
import { Failure } from "../lib/failure.ts";

/** The callers of a JSON file, which replace those of wrangler.toml. */
export type CallersFile = {
  readonly name: string;
  /** What makes wrangler give them to the Worker. */
  readonly wranglerArguments: readonly string[];
  readonly hints: readonly string[];
};

/**
 * Reads a list of callers. The Worker checks them, as it does those of wrangler.toml.
 * @throws Failure when the file cannot be read, or is not JSON.
 */
export async function readCallersFile(name: string): Promise<CallersFile> {
  const text = await readFile(name, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`The callers in ${name} cannot be read (${error.code}).`);
  });

  try {
    return {
      name,
      wranglerArguments: [`--var=CALLERS:${JSON.stringify(JSON.parse(text))}`],
      hints: [`The callers are those of ${name}: edits apply after a restart.`],
    };
  } catch (error) {
    throw new Failure(`The callers in ${name} are not JSON.`, { cause: error });
  }
}
