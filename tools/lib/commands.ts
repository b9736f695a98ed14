import { shellWord } from "./shell-word.ts";

/** The command that sets up an environment of wrangler.toml, with further options; `undefined` is its top level. */
export function setupCommand(env: string | undefined, options = ""): string {
  return npmCommand("setup", env, options);
}

/** The command that deploys an environment of wrangler.toml, with further options; `undefined` is its top level. */
export function deployCommand(env: string | undefined, options = ""): string {
  return npmCommand("deploy", env, options);
}

/** The command that rotates the key of an environment of wrangler.toml, or goes on with that. */
export function rotateCommand(env: string | undefined): string {
  return npmCommand("rotate", env);
}

/** The command that restores the previous version of a Worker. */
export function rollbackCommand(env: string | undefined): string {
  return `npx wrangler rollback ${wranglerEnv(env)}`;
}

/** The command that sets a secret of a Worker, whose value it asks for. */
export function secretCommand(name: string, env: string | undefined): string {
  return `npx wrangler secret put ${name} ${wranglerEnv(env)}`;
}

function npmCommand(script: string, env: string | undefined, options = ""): string {
  const all = [...(env === undefined ? [] : [`--env ${shellWord(env)}`]), ...(options === "" ? [] : [options])];
  return [`npm run ${script}`, ...(all.length === 0 ? [] : ["--", ...all])].join(" ");
}

/** An empty name is the top level, whatever CLOUDFLARE_ENV says. */
function wranglerEnv(env = ""): string {
  return `--env=${shellWord(env)}`;
}
