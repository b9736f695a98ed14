import { Command } from "commander";
import { shortDigest } from "../../src/adapters/logging/digester.ts";
import { VISIBLE_ASCII } from "../../src/core/auth/user-id.ts";
import { PLAIN_ID } from "../../src/http/request-id.ts";
import { createEnvOption } from "../lib/env-option.ts";
import { Failure, printError } from "../lib/failure.ts";
import { varsFileFor } from "../lib/vars-file.ts";
import { queriesFor, type Wanted } from "./queries.ts";
import { readToken } from "./read-token.ts";
import { readKeys, userDigests } from "./user-digests.ts";

type Options = { readonly env?: string; readonly varsFile?: string; readonly keyFile: readonly string[] };

const command = new Command("npm run audit --")
  .description("Tells how to find a user, a token or a request in the log, which names users and tokens by digests.")
  .addOption(createEnvOption("the environment of wrangler.toml, instead of its top level"))
  .showHelpAfterError()
  .addHelpText(
    "after",
    `
Examples:
  npm run audit -- user user123
  npm run audit -- user web:user123 --key-file old_private_key.pem
  npm run audit -- token token.txt
  npm run audit -- request 7f9c2d6e-0f3a-4c1b-9a56-2f1f3a0f7f11`,
  );

command
  .command("user")
  .description("finds a user. The digest depends on the private key, so after a rotation there is one for each key")
  .argument("<id>", "X-User-ID, or the claim of the JWT; prefix:id where the caller has a user_prefix")
  .option("--vars-file <path>", "file with PRIVATE_KEY and PREVIOUS_PRIVATE_KEY (default: the one of the environment)")
  .option("--key-file <path...>", "files with more private keys, such as those that were rotated away", [])
  .action(createAction(userQuery));

command
  .command("token")
  .description("finds an access token")
  .argument("<file>", "file with the token, or with the response that it came in; - for standard input")
  .action(createAction(tokenQuery));

command
  .command("request")
  .description("finds a request")
  .argument("<id>", "X-Request-Id of the response, request_id of the error")
  .action(createAction(requestQuery));

await command.parseAsync();

/** What is said of it first, and what to look for. */
type Query = { readonly lines: readonly string[]; readonly wanted: Wanted };

/** Creates an action that prints what to look for and where, or why that cannot be told. */
function createAction(queryFor: (argument: string, options: Options) => Promise<Query>) {
  return async (argument: string, _options: object, subcommand: Command) => {
    const options: Options = subcommand.optsWithGlobals();
    try {
      const { lines, wanted } = await queryFor(argument, options);
      const parts = [...(lines.length === 0 ? [] : [lines.join("\n")]), ...queriesFor(wanted, options.env ?? "")];
      console.log(parts.join("\n\n"));
    } catch (error) {
      printError(error);
      process.exitCode = 1;
    }
  };
}

async function userQuery(id: string, { env, varsFile, keyFile }: Options): Promise<Query> {
  if (!VISIBLE_ASCII.test(id))
    throw new Failure("No user has this id: ids are visible ASCII, with spaces only inside.");
  const digests = await userDigests(id, await readKeys(varsFile ?? varsFileFor(env), keyFile));
  return {
    lines: digests.map(({ name, digest }) => `user ${digest}  (${name})`),
    wanted: { property: "user", values: digests.map(({ digest }) => digest) },
  };
}

async function tokenQuery(file: string): Promise<Query> {
  const digest = await shortDigest(await readToken(file));
  return { lines: [`token ${digest}`], wanted: { property: "token", values: [digest] } };
}

async function requestQuery(id: string): Promise<Query> {
  if (!PLAIN_ID.test(id)) throw new Failure("No request has this id: ids are 1 to 128 letters, digits, _, = and -.");
  return { lines: [], wanted: { property: "request_id", values: [id] } };
}
