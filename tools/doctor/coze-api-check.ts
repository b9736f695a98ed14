import * as z from "zod";
import { readText } from "../../src/adapters/fetch-json.ts";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { networkErrorCode } from "../lib/network-error.ts";
import { redact } from "../lib/redact.ts";

const TIMEOUT_MS = 10_000;
/** A description of a bot with everything it can do has some kilobytes. */
const MAX_BODY_BYTES = 256 * 1024;
const MAX_MESSAGE_LENGTH = 200;

/** Codes of Coze's API (Coze: "错误码"). Two of them say that the token is not valid. */
const AUTHENTICATION_INVALID = 4100;
const TOKEN_INVALID = 700_012_006;
const NO_PERMISSION = 4101;

const apiResponse = z.object({
  code: z.number(),
  msg: z.string().optional(),
  detail: z.object({ logid: z.string().optional() }).optional(),
});

/** Checks that Coze accepts a token, by asking whose it is (`GET /v1/users/me`). */
export async function checkTokenAtCoze(api: string, accessToken: string): Promise<Finding> {
  const name = "token at Coze";
  const { code, detail, evidence } = await ask(`${api}/v1/users/me`, accessToken);
  if (code === 0) return passed(name, "GET /v1/users/me accepts it", "", evidence);
  if (code === NO_PERMISSION) {
    return passed(
      name,
      "it is valid, but may not read the user (4101)",
      "No need to change anything: chats do not need this.",
      evidence,
    );
  }
  return failed(name, detail, hintFor(code), evidence);
}

/** Checks that a token reaches a bot (`GET /v1/bots/{bot_id}`). */
export async function checkBot(api: string, accessToken: string, botId: string): Promise<Finding> {
  const name = `bot ${botId}`;
  const { code, detail, evidence } = await ask(`${api}/v1/bots/${encodeURIComponent(botId)}`, accessToken);
  if (code === 0) return passed(name, "the token reaches it", "", evidence);
  return failed(name, detail, hintFor(code), evidence);
}

type ApiResult = { readonly code: number | undefined; readonly detail: string; readonly evidence: string };

async function ask(url: string, accessToken: string): Promise<ApiResult> {
  const path = new URL(url).pathname;
  try {
    const headers = { Authorization: `Bearer ${accessToken}` };
    const response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { code, msg = "", detail } = apiResponse.parse(JSON.parse((await readText(response, MAX_BODY_BYTES)) ?? ""));
    const said = msg === "" ? "" : `: ${redact(msg, accessToken).slice(0, MAX_MESSAGE_LENGTH)}`;
    return { code, detail: `GET ${path} has code ${code}${said}`, evidence: `log id ${detail?.logid ?? "none"}` };
  } catch (error) {
    const detail =
      error instanceof z.ZodError || error instanceof SyntaxError
        ? `the response to GET ${path} is not Coze's`
        : `no response to GET ${path} (${networkErrorCode(error)})`;
    return { code: undefined, detail, evidence: url };
  }
}

function hintFor(code: number | undefined): string {
  switch (code) {
    case AUTHENTICATION_INVALID:
    case TOKEN_INVALID:
      return "Coze issued the token, but this API does not know it: are both from the same region?";
    case NO_PERMISSION:
      return "Give the app the permission in the Coze console and confirm it, in the workspace of the bot.";
    case undefined:
      return "Check TOKEN_ENDPOINT: the API is expected at the same host.";
    default:
      return "Check the id: it is in the address of the bot's page. The bot must be published to the API.";
  }
}
