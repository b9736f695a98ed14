import { setTimeout as sleep } from "node:timers/promises";
import { sha256Hex } from "../lib/sha256.ts";
import type { Deployment } from "./deployment.ts";
import type { ReceivedToken, Recorder } from "./recorder.ts";
import { type CheckedResponse, checkResponse, type ReceivedResponse } from "./response-check.ts";

/** One request to a Worker. */
export type SoakRequest = {
  /** Goes as `X-Request-Id`, so that a response, the log of the Worker and a failed check name the same request. */
  readonly id: string;
  /** Which of the Workers gets it. */
  readonly place: number;
  /** `undefined` for a request that names no user. */
  readonly user: string | undefined;
  /** `undefined`: as the settings have it, with no body at all. */
  readonly durationSeconds: number | undefined;
  /** A token that Coze has rejected. */
  readonly rejectedToken: string | undefined;
  readonly leave: Leave | undefined;
};

/** How and when a client leaves: it closes its connection, or the edge notices and ends the request's context. */
export type Leave = { readonly by: "edge" | "socket"; readonly afterMs: number };

/** Sends requests, tries the tokens they bring at Coze, and records all of it. */
export type Client = {
  readonly send: (request: Omit<SoakRequest, "id">) => Promise<{
    readonly id: string;
    /** Absent when the response had none. */
    readonly accessToken: string | undefined;
    readonly isRejected: boolean;
  }>;
};

/** What became of a request. Times are Unix milliseconds. */
type RequestOutcome = { readonly sentAt: number } & (
  | ({ readonly kind: "response"; readonly receivedAt: number } & ReceivedResponse)
  /** The client did not wait for a response. */
  | { readonly kind: "left" }
  | { readonly kind: "no response"; readonly message: string }
);

/** What the stand-in for the edge responds to a client that has left. */
const CLIENT_LEFT_STATUS = 499;
/** A response that is later counts as none; one that is merely late still tells what was late. */
const GIVE_UP_MS = 40_000;

/** Creates a client that numbers its requests and leaves all of them once `leave` is aborted. */
export function createClient(
  { places, coze }: Pick<Deployment, "places" | "coze">,
  { tally, failures, requests }: Recorder,
  leave: AbortSignal,
): Client {
  let sent = 0;

  return {
    async send(unnamed) {
      sent += 1;
      const request = { ...unnamed, id: `soak-${sent}` };
      tally.count("request", `to place ${request.place + 1}`);
      const outcome = await fetchOutcome(urlFor(request.place), request, leave);
      const response = checkOutcome(request, outcome);
      const token = await tryToken(outcome, response);

      requests.push({ request, sentAt: outcome.sentAt, ending: response.ending, token });
      for (const message of response.issues) failures.push({ check: "response", requestId: request.id, message });
      return { id: request.id, accessToken: response.token?.accessToken, isRejected: token?.rejectedAt !== undefined };
    },
  };

  function urlFor(index: number): string {
    const place = places[index];
    if (place === undefined) throw new Error(`There is no place ${index}.`);
    return place.workerd.url;
  }

  function checkOutcome(request: SoakRequest, outcome: RequestOutcome): CheckedResponse {
    tally.count("outcome", outcome.kind === "response" ? String(outcome.status) : outcome.kind);
    if (outcome.kind === "left") {
      tally.count("left", request.leave?.by ?? "the run was ended");
      return { ending: "left", issues: [] };
    }
    if (outcome.kind === "no response") return { ending: outcome.kind, issues: [`no response: ${outcome.message}`] };

    const response = checkResponse(request.id, outcome, outcome.sentAt, outcome.receivedAt);
    tally.noteLatency(outcome.receivedAt - outcome.sentAt);
    tally.count(response.token === undefined ? "error" : "cache status", response.ending);
    return response;
  }

  async function tryToken(outcome: RequestOutcome, { token }: CheckedResponse): Promise<ReceivedToken | undefined> {
    if (token === undefined || outcome.kind !== "response") return undefined;
    const isAccepted = await coze.accepts(token.accessToken);
    tally.count("token", isAccepted ? "accepted by Coze" : "rejected by Coze");
    return {
      sha256: sha256Hex(token.accessToken),
      expiresAtSeconds: token.expiresAt,
      receivedAt: outcome.receivedAt,
      rejectedAt: isAccepted ? undefined : Date.now(),
    };
  }
}

/** Waits so long, or until the signal. It never throws. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** Sends a request and waits for what becomes of it; `stop` makes its client leave. It never throws. */
async function fetchOutcome(url: string, request: SoakRequest, stop: AbortSignal): Promise<RequestOutcome> {
  const sentAt = Date.now();
  const left = request.leave?.by === "socket" ? [stop, AbortSignal.timeout(request.leave.afterMs)] : [stop];
  const signal = AbortSignal.any([...left, AbortSignal.timeout(GIVE_UP_MS)]);
  try {
    const response = await fetch(url, { ...requestInit(request), signal });
    const text = await response.text();
    if (response.status === CLIENT_LEFT_STATUS && request.leave?.by === "edge") return { kind: "left", sentAt };
    const { status, headers } = response;
    return { kind: "response", sentAt, receivedAt: Date.now(), status, headers, text };
  } catch (error) {
    if (left.some(({ aborted }) => aborted)) return { kind: "left", sentAt };
    return { kind: "no response", sentAt, message: messageFor(error) };
  }
}

function requestInit({ id, user, durationSeconds, rejectedToken, leave }: SoakRequest): RequestInit {
  const body = {
    ...(durationSeconds !== undefined && { duration_seconds: durationSeconds }),
    ...(rejectedToken !== undefined && { rejected_token: rejectedToken }),
  };
  const hasBody = Object.keys(body).length > 0;
  return {
    method: "POST",
    headers: {
      "X-Request-Id": id,
      ...(user !== undefined && { "X-User-ID": user }),
      ...(leave?.by === "edge" && { "X-Leave-After": String(leave.afterMs) }),
      ...(hasBody && { "Content-Type": "application/json" }),
    },
    ...(hasBody && { body: JSON.stringify(body) }),
  };
}

/** The messages of an error and of its causes; fetch says what was wrong in the cause only. */
function messageFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageFor(error.cause)}`;
}
