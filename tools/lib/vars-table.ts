/** How wrangler.toml calls the variables of an environment: `[vars]`, `[env.production.vars]`. */
export function varsTable(env: string | undefined): string {
  return env === undefined ? "vars" : `env.${env}.vars`;
}
