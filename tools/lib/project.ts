import { existsSync } from "node:fs";
import { join } from "node:path";
import { unstable_getVarsForDev as getVarsForDev, unstable_readConfig as readWranglerConfig } from "wrangler";
import { Failure } from "./failure.ts";
import { varsFileFor } from "./vars-file.ts";

/** Variables and bindings of a Worker, by name. A binding is an object with the methods that tell its kind. */
export type Environment = Readonly<Record<string, unknown>>;

/** What wrangler.toml and the vars file of this folder say, for one environment of wrangler. */
export type Project = {
  readonly root: string;
  /** `undefined` is the top level. */
  readonly env: string | undefined;
  /** The names of all environments in wrangler.toml. */
  readonly environments: readonly string[];
  readonly workerName: string | undefined;
  /** Of the custom domain, without a scheme. */
  readonly domain: string | undefined;
  /** The routes and custom domains that a deployment takes away from the top level: wrangler inherits them. */
  readonly takenRoutes: readonly string[];
  /** The ids of the rate limits. Limits with equal ids share one count. */
  readonly namespaceIds: readonly string[];
  /** What a deployment sets: wrangler.toml alone. */
  readonly deployed: Environment;
  /** What the Worker gets on this machine: the vars file too. */
  readonly local: Environment;
  /** Settings that a deployment reads from the Secrets Store. */
  readonly stored: readonly string[];
};

/** The name of wrangler's file. */
export const WRANGLER_TOML = "wrangler.toml";

type Route = string | { readonly pattern: string; readonly custom_domain?: boolean };

/** What wrangler makes of its file; its own type is not resolved outside of its package. */
type WranglerConfig = {
  readonly name?: string;
  readonly definedEnvironments?: readonly string[];
  readonly route?: Route;
  readonly routes?: readonly Route[];
  readonly vars: Record<string, never>;
  readonly kv_namespaces: readonly { readonly binding: string }[];
  readonly ratelimits: readonly { readonly name: string; readonly namespace_id: string }[];
  readonly analytics_engine_datasets: readonly { readonly binding: string }[];
  readonly secrets_store_secrets: readonly { readonly binding: string }[];
  readonly assets?: { readonly binding?: string };
};

/**
 * Reads the settings of the Worker in a folder, as wrangler does.
 * @throws Failure when wrangler cannot read wrangler.toml, or it has no such environment.
 */
export function readProject(root: string, env?: string): Project {
  const path = join(root, WRANGLER_TOML);
  const config = readConfig(path, env);
  const environments = config.definedEnvironments ?? [];
  if (env !== undefined && !environments.includes(env)) {
    throw new Failure(`wrangler.toml has no environment ${env}: add [env.${env}], or use one of its own.`);
  }
  const bindings = bindingsFor(config);
  const vars = getVarsForDev(path, undefined, config.vars, env, true);
  const ofTopLevel = env === undefined ? [] : patternsIn(readConfig(path));
  return {
    root,
    env,
    environments,
    workerName: config.name,
    domain: customDomainIn(config),
    takenRoutes: patternsIn(config).filter((pattern) => ofTopLevel.includes(pattern)),
    namespaceIds: config.ratelimits.map(({ namespace_id }) => String(namespace_id)),
    deployed: { ...config.vars, ...bindings },
    local: { ...Object.fromEntries(Object.entries(vars).map(([name, { value }]) => [name, value])), ...bindings },
    stored: config.secrets_store_secrets.map(({ binding }) => binding),
  };
}

/** Removes the variables that an environment has only because wrangler falls back to .dev.vars. */
export function withOwnVars(project: Project): Project {
  const { root, env, deployed } = project;
  return existsSync(join(root, varsFileFor(env))) ? project : { ...project, local: deployed };
}

/** The value of a variable as a string; `undefined` if it is absent or blank. */
export function stringIn(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === undefined || value === "" ? undefined : String(value);
}

/** Whether wrangler.toml lists callers. */
export function hasCallers({ deployed }: Project): boolean {
  return deployed["CALLERS"] !== undefined;
}

function patternsIn(config: WranglerConfig): readonly string[] {
  return routesIn(config).map((route) => (typeof route === "string" ? route : route.pattern));
}

/** As wrangler deploys them: an empty `routes` keeps an inherited `route` away. */
function routesIn({ route, routes }: WranglerConfig): readonly Route[] {
  return routes ?? (route === undefined ? [] : [route]);
}

function customDomainIn(config: WranglerConfig): string | undefined {
  const route = routesIn(config).find((route) => typeof route === "object" && route.custom_domain === true);
  return typeof route === "object" ? route.pattern : undefined;
}

function readConfig(config: string, env?: string): WranglerConfig {
  try {
    // "" is the top level; without it, CLOUDFLARE_ENV would decide.
    return readWranglerConfig({ config, env: env ?? "" }, { hideWarnings: true });
  } catch (error) {
    const { message, location } = error as Error & { location?: { line: number } }; // what wrangler throws
    const where = location === undefined ? "" : `, line ${location.line}`;
    throw new Failure(`wrangler cannot read wrangler.toml${where}: ${message}`);
  }
}

/** Stand-ins, by which the parser of the settings knows what is bound. */
function bindingsFor(config: WranglerConfig): Environment {
  const nothing = () => undefined;
  return Object.fromEntries<object>([
    ...config.kv_namespaces.map(({ binding }) => [binding, { put: nothing }] as const),
    ...config.ratelimits.map(({ name }) => [name, { limit: nothing }] as const),
    ...config.analytics_engine_datasets.map(({ binding }) => [binding, { writeDataPoint: nothing }] as const),
    ...(config.assets?.binding === undefined ? [] : [[config.assets.binding, { fetch: nothing }] as const]),
  ]);
}
