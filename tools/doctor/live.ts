import type { Config } from "../../src/config/config.ts";
import { REGION_ENDPOINTS, REGIONS, type RegionEndpoint, regionOf } from "../lib/coze-regions.ts";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { describeRefusal, type ExchangeSettings, type Refusal, tryExchange } from "../lib/try-exchange.ts";
import { checkBot, checkTokenAtCoze } from "./coze-api-check.ts";
import { checkIssuers } from "./issuers-check.ts";
import { checkNetwork } from "./network-check.ts";

/** Coze's tolerance is not documented; an assertion that is signed this far ahead may be refused. */
const MAX_CLOCK_SKEW_SECONDS = 30;
const TIMEOUT_MS = 10_000;

/** What the checks against Coze may use. */
export type LiveOptions = {
  readonly botId?: string | undefined;
  /** `false` if PRIVATE_KEY is in the Secrets Store alone, which only the deployed Worker can read. */
  readonly hasKey?: boolean;
  /** Where to try a key that Coze refuses; by default, in the other region of Coze. */
  readonly otherRegions?: readonly RegionEndpoint[];
};

/** Checks what only the network can tell: Coze, the key and its token, and the issuers of the callers. */
export async function checkLive(config: Config, options: LiveOptions = {}): Promise<readonly Finding[]> {
  const [coze, issuers] = await Promise.all([checkCoze(config, options), checkIssuers(config.callers)]);
  return [...coze, ...issuers];
}

async function checkCoze(
  config: Config,
  { botId, hasKey = true, otherRegions }: LiveOptions,
): Promise<readonly Finding[]> {
  const endpoint = new URL(config.tokenEndpoint);
  const advice = `Check TOKEN_ENDPOINT, and whether this network lets ${endpoint.host} through.`;
  const network = await checkNetwork("Coze", endpoint, Date.now(), advice);
  if (network.some(({ ok }) => !ok)) return network;

  if (!hasKey) return [...network, await checkClock(endpoint), notTried()];
  const [clock, exchanged] = await Promise.all([checkClock(endpoint), tryExchange(config)]);
  if ("refusal" in exchanged) {
    return [
      ...network,
      clock,
      await explainRefusal(exchanged.refusal, config, otherRegions ?? otherEndpointsFor(endpoint)),
    ];
  }
  const { accessToken, secondsLeft, logId } = exchanged;
  return [
    ...network,
    clock,
    passed("exchange", `Coze issued a token for ${secondsLeft} s`, "", logId && `log id ${logId}`),
    await checkTokenAtCoze(endpoint.origin, accessToken),
    ...(botId === undefined ? [] : [await checkBot(endpoint.origin, accessToken, botId)]),
  ];
}

function notTried(): Finding {
  const hint = "Check the deployed service: npm run doctor -- --url https://…";
  return passed("exchange", "not tried: PRIVATE_KEY is in the Secrets Store", hint);
}

async function checkClock(endpoint: URL): Promise<Finding> {
  const name = "clock";
  try {
    const response = await fetch(endpoint.origin, {
      method: "HEAD",
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (Number.isNaN(date)) return passed(name, "Coze's responses have no Date to compare with");

    const seconds = Math.round((Date.now() - date) / 1000);
    const detail = `${Math.abs(seconds)} s ${seconds < 0 ? "behind" : "ahead of"} Coze's`;
    if (Math.abs(seconds) <= MAX_CLOCK_SKEW_SECONDS) return passed(name, detail);
    return failed(name, detail, "Set the clock of this machine. Coze can refuse assertions that are early or expired.");
  } catch {
    return failed(name, "there is no response to read Coze's clock from", "Try again; the next finding says more.");
  }
}

async function explainRefusal(
  refusal: Refusal,
  settings: ExchangeSettings,
  others: readonly RegionEndpoint[],
): Promise<Finding> {
  const detail = describeRefusal(refusal);
  const evidence = refusal.logId && `log id ${refusal.logId}`;
  if (!refusal.isKeyRefusal) return failed("exchange", detail, "README.md, Errors, says what to do.", evidence);

  for (const other of others) {
    const exchanged = await tryExchange({ ...settings, ...other }).catch(() => undefined);
    if (exchanged !== undefined && "accessToken" in exchanged) {
      const hint = `Set TOKEN_ENDPOINT to ${other.tokenEndpoint}, and remove AUDIENCE: the app is from there.`;
      return failed("exchange", detail, hint, evidence);
    }
  }
  const hint = "Compare CLIENT_ID, KID and the key with the app in the Coze console. A new key takes some seconds.";
  return failed("exchange", others.length > 0 ? `${detail} The other region refuses it too.` : detail, hint, evidence);
}

function otherEndpointsFor({ href }: URL): readonly RegionEndpoint[] {
  const region = regionOf(href);
  if (region === undefined) return [];
  return REGIONS.filter((other) => other !== region).map((other) => REGION_ENDPOINTS[other]);
}
