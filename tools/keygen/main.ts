import { Command, InvalidArgumentError } from "commander";
import { CALLER_NAME, CALLER_NAME_RULE } from "../../src/config/caller-schema.ts";
import { createApiKey } from "../lib/api-key.ts";
import { createEnvOption } from "../lib/env-option.ts";
import { printError } from "../lib/failure.ts";
import { varsTable } from "../lib/vars-table.ts";

type Options = { readonly rotate?: boolean; readonly env?: string };

await new Command("npm run keygen --")
  .description("Makes an API key for a script or a backend, shows it once, and prints the caller to paste.")
  .argument(
    "<name>",
    'name of the caller: 1 to 64 letters, digits, ".", "_" or "-", starting with a letter or a digit',
    parseName,
  )
  .option("--rotate", "a new key for a caller of wrangler.toml: the caller to paste works beside the old one")
  .addOption(createEnvOption("the environment of wrangler.toml that the caller is for, instead of its top level"))
  .addHelpText(
    "after",
    "\nExamples:\n  npm run keygen -- nightly-report\n  npm run keygen -- --rotate nightly-report\n",
  )
  .action(printKey)
  .showHelpAfterError()
  .parseAsync();

function parseName(name: string): string {
  if (CALLER_NAME.test(name)) return name;
  throw new InvalidArgumentError(`It ${CALLER_NAME_RULE}.`);
}

async function printKey(name: string, { rotate = false, env }: Options): Promise<void> {
  if (!rotate) {
    console.log(describeApiKey(name, env));
    return;
  }
  const { describeRotation } = await import("./rotation.ts"); // it takes wrangler, which takes seconds to load
  try {
    console.log(describeRotation(process.cwd(), name, env));
  } catch (error) {
    printError(error);
    process.exitCode = 1;
  }
}

function describeApiKey(name: string, env: string | undefined): string {
  const { key, digest } = createApiKey();
  return `The key of ${name}. It is shown only once and stored nowhere; give it to the owner of ${name}:

  ${key}

The caller, for wrangler.toml. It holds only the digest of the key, so it can be committed:

  [[${varsTable(env)}.CALLERS]]
  name = "${name}"
  key_sha256 = "${digest}"

Deploy, and then:

  curl -X POST https://token.example.com/ -H "Authorization: Bearer ${key}"`;
}
