import { CALLER_NAME, CALLER_NAME_RULE } from "../../src/config/caller-schema.ts";
import { createApiKey } from "../lib/api-key.ts";
import type { Ask, Question } from "../lib/questions.ts";
import type { TomlValue } from "../lib/toml-edit.ts";
import { RECIPE_NAMES, RECIPES, type Recipe, type RecipeName } from "./recipes.ts";

/** The answers about access that can be given as options. */
export type AccessOptions = {
  readonly access?: string;
  readonly caller?: string;
  readonly recipe?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly botIds?: string;
  readonly permissions?: string;
};

type TomlTable = Readonly<Record<string, TomlValue>>;

/** Who may call, and what for. */
export type Access = {
  /** `undefined`: anyone may call. */
  readonly caller: TomlTable | undefined;
  /** Of that caller; to be shown once. */
  readonly apiKey: string | undefined;
  /** For an open service: a scope for every token. */
  readonly tokenScope: TomlTable | undefined;
};

/** The permission that talking to a bot takes (docs/callers.md, Permission names). */
const CHAT_PERMISSION = "Connector.botChat";

/** How it is now. */
type CurrentAccess = {
  /** `undefined` where there is no service yet. */
  readonly initial: "open" | undefined;
  /** Of the callers that there are. */
  readonly names: readonly unknown[];
};

/** Asks who may call, and for which bots and permissions. */
export async function askAccess(
  ask: Ask,
  say: (text: string) => void,
  options: AccessOptions,
  { initial, names }: CurrentAccess,
): Promise<Access> {
  const kind = await ask({
    option: "--access",
    text: "Who may request tokens?",
    given: options.access,
    initial,
    choices: [
      { value: "key", label: "holders of an API key: scripts and backends" },
      { value: "issuer", label: "logged-in users, by the JWT of a login such as Supabase or Auth0" },
      { value: "open", label: "everyone who knows the URL gets tokens of the app (open)" },
    ],
  });
  const identity =
    kind === "key"
      ? await askKeyCaller(ask, options, names)
      : kind === "issuer"
        ? await askIssuer(ask, options, names)
        : undefined;
  const rights = await askRights(ask, options);
  if (kind === "open") say(openWarning(rights));
  if (identity === undefined) return { caller: undefined, apiKey: undefined, tokenScope: scopeFor(rights) };
  return { caller: { ...identity.caller, ...rights }, apiKey: identity.apiKey, tokenScope: undefined };
}

function openWarning({ bot_ids }: Rights): string {
  const advice = bot_ids === undefined ? " Limit it to your bots, at least." : "";
  const others = "Visitors of a site can be callers behind Turnstile: docs/callers.md.";
  return `Warning: an open service gives everyone who knows its URL a token of the app.${advice} ${others}`;
}

type Identity = { readonly caller: TomlTable; readonly apiKey: string | undefined };

async function askKeyCaller(ask: Ask, { caller }: AccessOptions, names: readonly unknown[]): Promise<Identity> {
  const name = await askName(ask, caller, "first-script", names);
  const { key, digest } = createApiKey();
  return { caller: { name, key_sha256: digest }, apiKey: key };
}

async function askIssuer(ask: Ask, options: AccessOptions, names: readonly unknown[]): Promise<Identity> {
  const choices = RECIPE_NAMES.map((value) => ({ value, label: RECIPES[value].label }));
  const name = await ask({
    option: "--recipe",
    text: "Which login? docs/callers.md has others",
    given: options.recipe,
    choices,
  });
  const recipe: Recipe = RECIPES[name as RecipeName]; // one of the choices
  const tenant = await ask({
    option: "--issuer",
    text: `${recipe.label}: ${recipe.tenant}`,
    given: options.issuer,
    issue: (answer) => (recipe.tenantForm.test(answer) ? undefined : `must be ${recipe.tenant}, and nothing around it`),
  });
  const audience =
    recipe.audience === undefined
      ? ""
      : await ask({ option: "--audience", text: `${recipe.label}: ${recipe.audience}`, given: options.audience });
  const caller = recipe.callerFor(tenant, audience);
  return {
    caller: { ...caller, name: await askName(ask, options.caller, String(caller["name"]), names) },
    apiKey: undefined,
  };
}

function askName(ask: Ask, given: string | undefined, initial: string, names: readonly unknown[]): Promise<string> {
  return ask({
    option: "--caller",
    text: "What is this caller called, in the log and in wrangler.toml?",
    given,
    initial,
    issue(answer) {
      if (names.includes(answer)) return `already exists in wrangler.toml: ${answer}`;
      return CALLER_NAME.test(answer) ? undefined : CALLER_NAME_RULE;
    },
  });
}

type Rights = { readonly bot_ids?: readonly string[]; readonly permissions?: readonly string[] };

async function askRights(ask: Ask, options: AccessOptions): Promise<Rights> {
  const bots = await askList(ask, /^\d+$/, "must be bot ids (digits only), separated by commas", {
    option: "--bot-ids",
    text: "Ids of the bots that tokens are for, separated by commas (empty: all bots of the app)",
    given: options.botIds,
  });
  const permissions = await askList(ask, /^\w+(\.\w+)*$/, `must be names such as ${CHAT_PERMISSION}`, {
    option: "--permissions",
    text: "Permissions that tokens have, separated by commas (empty: all of the app). See docs/callers.md",
    given: options.permissions,
    // Coze's scope names bots beside permissions only.
    ...(bots.length > 0 && { initial: CHAT_PERMISSION }),
  });
  return { ...(permissions.length > 0 && { permissions }), ...(bots.length > 0 && { bot_ids: bots }) };
}

/** Asks for a list, which may be empty, of what has this form. */
async function askList(ask: Ask, form: RegExp, rule: string, question: Question): Promise<readonly string[]> {
  const issue = (answer: string) => (listFrom(answer).every((item) => form.test(item)) ? undefined : rule);
  return listFrom(await ask({ ...question, isOptional: true, issue }));
}

function scopeFor({ permissions, bot_ids }: Rights): TomlTable | undefined {
  if (permissions === undefined) return undefined;
  return {
    account_permission: { permission_list: permissions },
    ...(bot_ids && { attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: bot_ids } } }),
  };
}

function listFrom(answer: string): readonly string[] {
  return answer
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
