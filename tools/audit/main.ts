import { Command } from "commander";
import { shortDigest } from "../../src/adapters/logging/digester.ts";
import { VISIBLE_ASCII } from "../../src/core/auth/user-id.ts";
import { PLAIN_ID } from "../../src/http/request-id.ts";
import { Failure } from "../lib/failure.ts";
import { varsFileFor } from "../lib/vars-file.ts";
import { readKeys, userDigests } from "./log-keys.ts";
import { queriesFor, type Wanted } from "./queries.ts";
import { readToken } from "./read-token.ts";

type Options = { readonly env: string; readonly varsFile?: string; readonly keyFile: readonly string[] };

const command = new Command("npm run audit --")
  .description("Tells how to find a user, a token or a request in the log, which names users and tokens by digests.")
  .option("-e, --env <name>", "environment of wrangler.toml, for the commands that are printed", "")
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
  .action(report(findUser));

command
  .command("token")
  .description("finds an access token")
  .argument("<file>", "file with the token, or with the response that it came in; - for standard input")
  .action(report(findToken));

command
  .command("request")
  .description("finds a request")
  .argument("<id>", "X-Request-Id of the response, request_id of the error")
  .action(report(findRequest));

await command.parseAsync();

/** Creates an action that prints what to look for and where, or why that cannot be told. */
function report(find: (argument: string, options: Options) => Promise<Wanted>) {
  return async (argument: string, _options: object, subcommand: Command) => {
    const options: Options = subcommand.optsWithGlobals();
    try {
      const wanted = await find(argument, options);
      console.log(queriesFor(wanted, options.env).join("\n\n"));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      console.error(`error: ${error.message}`);
      process.exitCode = 1;
    }
  };
}

async function findUser(id: string, { env, varsFile, keyFile }: Options): Promise<Wanted> {
  if (!VISIBLE_ASCII.test(id))
    throw new Failure("No user has this id: ids are visible ASCII, with spaces only inside.");
  const digests = await userDigests(id, await readKeys(varsFile ?? varsFileFor(env || undefined), keyFile));
  for (const { name, digest } of digests) console.log(`user ${digest}  (${name})`);
  console.log();
  return { property: "user", values: digests.map(({ digest }) => digest) };
}

async function findToken(file: string): Promise<Wanted> {
  const digest = await shortDigest(await readToken(file));
  console.log(`token ${digest}\n`);
  return { property: "token", values: [digest] };
}

async function findRequest(id: string): Promise<Wanted> {
  if (!PLAIN_ID.test(id)) throw new Failure("No request has this id: ids are 1 to 128 letters, digits, _, = and -.");
  return { property: "request_id", values: [id] };
}
