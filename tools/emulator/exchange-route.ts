import { type Context, Hono } from "hono";
import { type createAssertionCheck, type PresentedAssertion, readAssertion, readIssuer } from "./assertion.ts";
import { departure, pause } from "./connection.ts";
import { type Completion, type ExchangeLog, shownHeaders } from "./exchange-log.ts";
import type { Fault, FaultQueue } from "./faults.ts";
import { type LiveTokens, randomAccessToken } from "./live-tokens.ts";
import type { EmulatorEnv } from "./log-id.ts";
import {
  errorCodeIn,
  exchangeResponse,
  faultResponse,
  type PreparedResponse,
  parseJson,
  sendResponse,
} from "./response.ts";
import { parseTokenRequest } from "./token-request.ts";

/** The lifetime in the token response of a fault; it was never issued, so nothing depends on it. */
const MADE_UP_DURATION_SECONDS = 900;

/** What an exchange needs of the emulator around it. */
export type ExchangeParts = {
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly checkAssertion: ReturnType<typeof createAssertionCheck>;
  readonly tokens: Pick<LiveTokens, "issue">;
  readonly faults: Pick<FaultQueue, "take">;
  readonly exchanges: Pick<ExchangeLog, "open">;
  /** Ends the connection of a request without a response. */
  readonly dropConnection: (c: Context) => Response | Promise<Response>;
};

type ExchangeRequest = {
  readonly presented: PresentedAssertion;
  readonly contentType: string | undefined;
  /** The parsed body; undefined where it is not JSON. */
  readonly json: unknown;
};

/**
 * The three documented paths of the token endpoint. Which account or enterprise is named makes no difference: Coze documents
 * no rule about it that could be followed here.
 */
export function createExchangeRoute({ now, checkAssertion, tokens, faults, exchanges, dropConnection }: ExchangeParts) {
  return new Hono<EmulatorEnv>()
    .post("/token", handle)
    .post("/account/:account_id/token", handle)
    .post("/enterprise_id/:enterprise_id/token", handle);

  async function handle(c: Context<EmulatorEnv>): Promise<Response> {
    const request = await readRequest(c);
    const { decoded } = request.presented;
    const fault = faults.take(readIssuer(decoded));
    const note = exchanges.open({
      at: now(),
      path: c.req.path,
      fault: fault?.id ?? null,
      request_headers: shownHeaders(c.req.header()),
      assertion: decoded,
      body: request.json ?? null,
      log_id: c.get("logId"),
    });

    if (fault !== undefined && !(await allowsResponse(fault, c.req.raw.signal))) return dropConnection(c);

    const usual = isInstead(fault) ? madeUpResponse(now()) : await exchange(request, note);
    const response = fault?.response === undefined ? usual : faultResponse(fault.response, usual);
    note({ status: response.status, error_code: errorCodeIn(response) });
    return sendResponse(response, c.get("logId"));
  }

  async function exchange(
    request: ExchangeRequest,
    note: (result: Partial<Completion>) => void,
  ): Promise<PreparedResponse> {
    const granted = await grant(request);
    note("refused" in granted ? { problem: granted.problem } : { access_token_sha256: granted.sha256 });
    return exchangeResponse(granted);
  }

  async function grant({ presented, contentType, json }: ExchangeRequest) {
    const verified = await checkAssertion(presented);
    if ("refused" in verified) return verified;
    const parameters = parseTokenRequest(contentType, json);
    if ("refused" in parameters) return parameters;

    const { app, sessionName } = verified;
    return tokens.issue({ clientId: app.clientId, appName: app.name, sessionName }, parameters.durationSeconds);
  }
}

async function readRequest(c: Context): Promise<ExchangeRequest> {
  // A client that leaves in the middle of its body has sent none.
  const text = await c.req.text().catch(() => "");
  return {
    presented: readAssertion(c.req.header("authorization")),
    contentType: c.req.header("content-type"),
    json: parseJson(text),
  };
}

/** Lets the fault delay the exchange; false when no response may follow, or the client has left. */
async function allowsResponse({ delay_ms, hang, drop }: Fault, client: AbortSignal): Promise<boolean> {
  if (delay_ms !== undefined && !(await pause(delay_ms, client))) return false;
  if (hang) await departure(client);
  return !hang && !drop;
}

/** Whether the fault's response replaces the exchange, which then never happens. */
function isInstead(fault: Fault | undefined): boolean {
  return fault?.response !== undefined && !fault.response.after;
}

/** A token response for a fault to pad. No such token was issued. */
function madeUpResponse(now: number): PreparedResponse {
  const expiresAt = Math.floor(now / 1000) + MADE_UP_DURATION_SECONDS;
  return exchangeResponse({ accessToken: randomAccessToken(), expiresAt });
}
