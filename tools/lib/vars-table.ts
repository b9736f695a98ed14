/** The table of variables of an environment in wrangler.toml: `[vars]`, `[env.production.vars]`. */
export function varsTable(env: string | undefined): string {
  return env === undefined ? "vars" : `env.${env}.vars`;
}
