/** The command that sets up an environment of wrangler.toml, with further options; `undefined` is its top level. */
export function setupCommand(env: string | undefined, options = ""): string {
  const all = [...(env === undefined ? [] : [`--env ${env}`]), ...(options === "" ? [] : [options])];
  return ["npm run setup", ...(all.length === 0 ? [] : ["--", ...all])].join(" ");
}
