import type { TomlValue } from "../lib/toml-edit.ts";

/** How to write a caller for an issuer: docs/callers.md, Recipes. */
export type Recipe = {
  readonly label: string;
  /** What `--issuer` is for this recipe. */
  readonly tenant: string;
  /** What a tenant looks like. */
  readonly tenantForm: RegExp;
  /** What `--audience` is for this recipe; `undefined` if it follows from the tenant. */
  readonly audience: string | undefined;
  readonly callerFor: (tenant: string, audience: string) => Readonly<Record<string, TomlValue>>;
};

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i;
const HOST = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i;

/** The recipes, by the names that `--recipe` takes. */
export const RECIPES = {
  supabase: {
    label: "Supabase",
    tenant: "PROJECT of https://PROJECT.supabase.co",
    tenantForm: LABEL,
    audience: undefined,
    callerFor: (project) => ({
      name: "web-users",
      issuer: `https://${project}.supabase.co/auth/v1`,
      audience: "authenticated",
      claims: { role: "authenticated", is_anonymous: false },
    }),
  },
  auth0: {
    label: "Auth0",
    tenant: "the domain of the tenant, such as example.eu.auth0.com",
    tenantForm: HOST,
    audience: "the identifier of the API that you registered, such as https://token.example.com",
    callerFor: (domain, audience) => ({ name: "web-users", issuer: `https://${domain}/`, audience }),
  },
  clerk: {
    label: "Clerk",
    tenant: "the host of the Frontend API, such as clerk.example.com",
    tenantForm: HOST,
    audience: "the origin of your app (azp), such as https://app.example.com",
    callerFor: (host, azp) => ({ name: "web-users", issuer: `https://${host}`, claims: { azp, sts: "active" } }),
  },
  firebase: {
    label: "Firebase",
    tenant: "the id of the project, such as my-app-1a2b3",
    tenantForm: LABEL,
    audience: undefined,
    callerFor: (project) => ({
      name: "web-users",
      issuer: `https://securetoken.google.com/${project}`,
      audience: project,
      claims: { email_verified: true },
    }),
  },
  access: {
    label: "Cloudflare Access",
    tenant: "TEAM of https://TEAM.cloudflareaccess.com",
    tenantForm: LABEL,
    audience: "the application's AUD tag",
    callerFor: (team, audience) => ({
      name: "staff",
      issuer: `https://${team}.cloudflareaccess.com`,
      jwks_uri: `https://${team}.cloudflareaccess.com/cdn-cgi/access/certs`,
      audience,
      user_id: "email",
    }),
  },
  github: {
    label: "GitHub Actions",
    tenant: "the repository, such as your-org/your-repo; its pushes to main may call",
    tenantForm: /^[\w.-]+\/[\w.-]+$/,
    audience: "the audience that the job asks for, such as https://token.example.com",
    callerFor: (repository, audience) => ({
      name: "release-job",
      issuer: "https://token.actions.githubusercontent.com",
      audience,
      claims: { repository, ref: "refs/heads/main", event_name: "push" },
      user_id: "repository",
    }),
  },
} satisfies Record<string, Recipe>;

export type RecipeName = keyof typeof RECIPES;

/** The names of all recipes. */
export const RECIPE_NAMES = Object.keys(RECIPES) as readonly RecipeName[]; // the keys of the literal above
