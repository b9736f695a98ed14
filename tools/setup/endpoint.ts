import { parseSecureUrl } from "../../src/core/secure-url.ts";
import { REGION_ENDPOINTS, REGIONS, type Region, type RegionEndpoint, regionOf } from "../lib/coze-regions.ts";
import { Failure } from "../lib/failure.ts";
import { type Project, stringIn } from "../lib/project.ts";
import type { Ask } from "../lib/questions.ts";
import type { ExchangeSettings } from "../lib/try-exchange.ts";

/** The answers about the endpoint that can be given as options. */
export type EndpointOptions = { readonly region?: string; readonly tokenEndpoint?: string };

/** What an app needs to get a token, wherever its endpoint is. */
export type AppCredentials = Pick<ExchangeSettings, "clientId" | "kid" | "privateKey">;

/** Where the endpoint comes from when no option or setting has it. */
export type EndpointPorts = {
  readonly ask: Ask;
  readonly say: (text: string) => void;
  /** Asks every region for a token; `undefined` if that is not wanted. */
  readonly askRegions: ((app: AppCredentials) => Promise<readonly RegionResult[]>) | undefined;
};

/** What a region said of an app. */
export type RegionResult = { readonly region: Region; readonly hasIssued: boolean; readonly sentence: string };

/**
 * Finds where the app gets its tokens: by an option, as it is set already, by asking both regions, or by asking the
 * person. With `refused`, the endpoint of a region that has refused the app, the region is found anew.
 */
export async function askEndpoint(
  options: EndpointOptions,
  app: AppCredentials,
  { local }: Project,
  ports: EndpointPorts,
  refused?: RegionEndpoint,
): Promise<RegionEndpoint> {
  if (refused !== undefined && regionOf(refused.tokenEndpoint) === undefined) return askUrl(refused, local, ports);
  const isAskedAgain = refused !== undefined;
  if (options.region !== undefined && !isAskedAgain) return endpointIn(options.region as Region, local); // one of its choices
  const existing = isAskedAgain ? undefined : (options.tokenEndpoint ?? existingEndpoint(app, local));
  if (existing !== undefined) {
    const issue = urlIssue(existing);
    if (issue !== undefined) throw new Failure(`--token-endpoint ${issue}.`);
    return endpointAt(existing, local);
  }

  const results = (await ports.askRegions?.(app)) ?? [];
  const issuing = results.filter(({ hasIssued }) => hasIssued);
  const found = issuing.length === 1 ? issuing[0]?.region : undefined;
  if (found !== undefined) ports.say(`coze.${found} knows this app.`);
  const region = await ports.ask({
    option: "--region",
    text: ["Where is the app from?", ...results.map(({ sentence }) => sentence)].join(" "),
    given: found,
    initial: refused && regionOf(refused.tokenEndpoint),
    choices: REGIONS.map((value) => ({ value, label: `coze.${value}` })),
  });
  return endpointIn(region as Region, local); // one of the choices
}

/** Asks for the URL of an endpoint that is not Coze's own, and has refused the app. */
async function askUrl(
  { tokenEndpoint }: RegionEndpoint,
  local: Project["local"],
  { ask }: EndpointPorts,
): Promise<RegionEndpoint> {
  const url = await ask({
    option: "--token-endpoint",
    text: "TOKEN_ENDPOINT: the whole URL, with its path",
    given: undefined,
    initial: tokenEndpoint,
    issue: urlIssue,
  });
  return endpointAt(url, local);
}

function urlIssue(url: string): string | undefined {
  const parsed = parseSecureUrl(url, REGION_ENDPOINTS.cn.tokenEndpoint);
  return "issues" in parsed ? parsed.issues[0]?.message : undefined;
}

function endpointAt(url: string, local: Project["local"]): RegionEndpoint {
  const { href } = new URL(url);
  const { audience } = REGION_ENDPOINTS[regionOf(href) ?? "cn"];
  return { tokenEndpoint: href, audience: stringIn(local, "AUDIENCE") ?? audience };
}

/** @throws Failure when AUDIENCE is set for another region. */
function endpointIn(region: Region, local: Project["local"]): RegionEndpoint {
  const endpoint = REGION_ENDPOINTS[region];
  const audience = stringIn(local, "AUDIENCE") ?? endpoint.audience;
  if (audience === endpoint.audience) return endpoint;
  throw new Failure(
    `AUDIENCE is ${audience}, and the app is from coze.${region}. Remove AUDIENCE, and run this again.`,
  );
}

/** `undefined` if nothing tells. An app that is set up without an endpoint is from coze.cn, which is the default. */
function existingEndpoint({ clientId }: AppCredentials, local: Project["local"]): string | undefined {
  const isSameApp = stringIn(local, "CLIENT_ID") === clientId;
  return stringIn(local, "TOKEN_ENDPOINT") ?? (isSameApp ? REGION_ENDPOINTS.cn.tokenEndpoint : undefined);
}
