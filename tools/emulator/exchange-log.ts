import { type DecodedAssertion, readIssuer } from "./assertion.ts";

/** So many exchanges are remembered; beyond that the oldest are dropped. */
export const MAX_EXCHANGES = 100_000;

/** What is known of an exchange when it arrives. */
export type Arrival = {
  /** Unix milliseconds. */
  readonly at: number;
  readonly path: string;
  /** The id of the fault that struck, or null. */
  readonly fault: string | null;
  /** Names in lower case; of `authorization` only the scheme. */
  readonly request_headers: Readonly<Record<string, string>>;
  /** Unverified; null where there was no JWT. */
  readonly assertion: DecodedAssertion | null;
  /** The parsed JSON, or null. */
  readonly body: unknown;
  readonly log_id: string;
};

/** Its result; all null while it is under way. */
export type Completion = {
  /** As sent; stays null when the connection was dropped or the client left. */
  readonly status: number | null;
  readonly error_code: string | null;
  /** The SHA-256 of the issued token, in hex. */
  readonly access_token_sha256: string | null;
  /** Why the exchange was refused, as the emulator says it, after the property it concerns. */
  readonly problem: string | null;
};

/** One entry of the list. */
export type Exchange = Arrival & Completion;

const UNDER_WAY: Completion = { status: null, error_code: null, access_token_sha256: null, problem: null };

/** The received exchanges of one emulator. */
export type ExchangeLog = ReturnType<typeof createExchangeLog>;

/** Creates the list of received exchanges, oldest first. No assertion and no token enters it, wherever a client put them. */
export function createExchangeLog(limit = MAX_EXCHANGES) {
  let exchanges: Exchange[] = [];

  return {
    /** Records an arrival at once, and returns the function that records its result, in one step or several. */
    open(arrival: Arrival): (result: Partial<Completion>) => void {
      const exchange = { ...withoutCredentials(arrival), ...UNDER_WAY };
      exchanges.push(exchange);
      if (exchanges.length > limit) exchanges.shift();
      return (result) => Object.assign(exchange, result);
    },

    /** The exchanges whose assertion names this app, or all of them. */
    list(clientId: string | undefined): readonly Exchange[] {
      return exchanges.filter(({ assertion }) => clientId === undefined || readIssuer(assertion) === clientId);
    },

    /** Forgets the exchanges of this app, or all of them, and tells how many there were. */
    clear(clientId: string | undefined): number {
      const others = exchanges.filter(({ assertion }) => clientId !== undefined && readIssuer(assertion) !== clientId);
      const cleared = exchanges.length - others.length;
      exchanges = others;
      return cleared;
    },
  };
}

/** The request headers as they may be shown. Anything but `scheme credential` is a credential as a whole. */
export function shownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { authorization, ...others } = headers;
  if (authorization === undefined) return others;
  return { authorization: authorization.match(/^[A-Za-z]{1,16}(?= |$)/)?.[0] ?? "", ...others };
}

/** A client under test may put its assertion or its token anywhere; three base64url parts or `czs_…` are one. */
function withoutCredentials(arrival: Arrival): Arrival {
  const text = JSON.stringify(arrival)
    .replaceAll(/e[yw][\w-]{10,}\.[\w-]{10,}\.[\w-]*/g, "[assertion]")
    .replaceAll(/czs_[\w-]+/g, "[access token]");
  return JSON.parse(text);
}
