import { Command, InvalidArgumentError } from "commander";
import { CALLER_NAME, CALLER_NAME_RULE } from "../../src/config/caller-schema.ts";
import { createApiKey } from "../lib/api-key.ts";

new Command("npm run keygen --")
  .description("Makes an API key for a script or a backend, shows it once, and prints the caller to paste.")
  .argument("<name>", "name of the caller: letters, digits, . _ and -, at most 64", parseName)
  .addHelpText("after", "\nExample:\n  npm run keygen -- nightly-report\n")
  .action(printKey)
  .showHelpAfterError()
  .parse();

function parseName(name: string): string {
  if (CALLER_NAME.test(name)) return name;
  throw new InvalidArgumentError(`It ${CALLER_NAME_RULE}, and begin with one of the first two.`);
}

function printKey(name: string): void {
  const { key, digest } = createApiKey();
  console.log(`The key of ${name}. It is shown only once and stored nowhere; give it to the owner of ${name}:

  ${key}

The caller, for wrangler.toml. It holds only the digest of the key, so it can be committed:

  [[vars.CALLERS]]
  name = "${name}"
  key_sha256 = "${digest}"

Deploy, and then:

  curl -X POST https://token.example.com/ -H "Authorization: Bearer ${key}"`);
}
