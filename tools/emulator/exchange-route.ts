import { type Context, Hono } from "hono";
import { type Answer, errorCodeOf, exchangeAnswer, faultAnswer, parseJson, sendAnswer } from "./answer.ts";
import { issuerOf, type PresentedAssertion, readAssertion } from "./assertion.ts";
import type { createAssertionCheck } from "./assertion-check.ts";
import { departure, pause } from "./connection.ts";
import { type ExchangeLog, type Outcome, shownHeaders } from "./exchange-log.ts";
import type { Fault } from "./fault-schema.ts";
import type { FaultQueue } from "./faults.ts";
import type { EmulatorEnv } from "./log-id.ts";
import { parseTokenRequest } from "./token-request.ts";
import { randomAccessToken, type TokenStore } from "./tokens.ts";

/** What the token of a fault answer claims to live; it was never issued, so nothing depends on it. */
const MADE_UP_DURATION_SECONDS = 900;

/** What an exchange needs of the emulator around it. */
export type ExchangeParts = {
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly checkAssertion: ReturnType<typeof createAssertionCheck>;
  readonly tokens: Pick<TokenStore, "issue">;
  readonly faults: Pick<FaultQueue, "take">;
  readonly exchanges: Pick<ExchangeLog, "open">;
  /** Ends the connection of a request without an answer. */
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
 * no rule about it that could be kept here.
 */
export function createExchangeRoute({ now, checkAssertion, tokens, faults, exchanges, dropConnection }: ExchangeParts) {
  return new Hono<EmulatorEnv>()
    .post("/token", handle)
    .post("/account/:account_id/token", handle)
    .post("/enterprise_id/:enterprise_id/token", handle);

  async function handle(c: Context<EmulatorEnv>): Promise<Response> {
    const request = await readRequest(c);
    const { decoded } = request.presented;
    const fault = faults.take(issuerOf(decoded));
    const note = exchanges.open({
      at: now(),
      path: c.req.path,
      fault: fault?.id ?? null,
      request_headers: shownHeaders(c.req.header()),
      assertion: decoded,
      body: request.json ?? null,
      log_id: c.get("logId"),
    });

    if (fault !== undefined && !(await allowsAnswer(fault, c.req.raw.signal))) return dropConnection(c);

    const honest = isInstead(fault) ? madeUpAnswer(now()) : await exchange(request, note);
    const answer = fault?.response === undefined ? honest : faultAnswer(fault.response, honest);
    note({ status: answer.status, error_code: errorCodeOf(answer) });
    return sendAnswer(answer, c.get("logId"));
  }

  async function exchange(request: ExchangeRequest, note: (outcome: Partial<Outcome>) => void): Promise<Answer> {
    const outcome = await grant(request);
    note("refused" in outcome ? { problem: outcome.problem } : { access_token_sha256: outcome.sha256 });
    return exchangeAnswer(outcome);
  }

  async function grant({ presented, contentType, json }: ExchangeRequest) {
    const verified = await checkAssertion(presented);
    if ("refused" in verified) return verified;
    const asked = parseTokenRequest(contentType, json);
    if ("refused" in asked) return asked;

    const { app, sessionName } = verified;
    return tokens.issue({ clientId: app.clientId, appName: app.name, sessionName }, asked.durationSeconds);
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

/** Lets the fault delay the exchange; false when no answer may follow, or nobody is left to read it. */
async function allowsAnswer({ delay_ms, hang, drop }: Fault, client: AbortSignal): Promise<boolean> {
  if (delay_ms !== undefined && !(await pause(delay_ms, client))) return false;
  if (hang) await departure(client);
  return !hang && !drop;
}

/** Whether the fault's answer takes the place of the exchange, which then never happens. */
function isInstead(fault: Fault | undefined): boolean {
  return fault?.response !== undefined && !fault.response.after;
}

/** A token answer for a fault to pad. No such token was issued. */
function madeUpAnswer(now: number): Answer {
  const expiresAt = Math.floor(now / 1000) + MADE_UP_DURATION_SECONDS;
  return exchangeAnswer({ accessToken: randomAccessToken(), expiresAt });
}
