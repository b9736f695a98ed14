/** One request to a Worker. */
export type Asked = {
  /** Goes as `X-Request-Id`, so that an answer, the log of the Worker and a failure of the run name the same request. */
  readonly id: string;
  /** Which of the Workers is asked. */
  readonly place: number;
  /** `undefined` is who names no user. */
  readonly user: string | undefined;
  /** `undefined`: as the settings have it, with no body at all. */
  readonly durationSeconds: number | undefined;
  /** A token that Coze has refused. */
  readonly rejectedToken: string | undefined;
  readonly leave: Leave | undefined;
};

/** How and when a client goes away: by closing its connection, or seen by the edge, which ends the request's context. */
export type Leave = { readonly by: "edge" | "socket"; readonly afterMs: number };

/** What became of a request. Times are Unix milliseconds. */
export type Outcome = { readonly sentAt: number } & (
  | ({ readonly kind: "answered"; readonly receivedAt: number } & Answer)
  /** The client did not wait for an answer. */
  | { readonly kind: "left" }
  | { readonly kind: "unanswered"; readonly problem: string }
);

export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

/** What the stand-in for the edge answers to a client that has left. */
const CLIENT_LEFT_STATUS = 499;
/** An answer that comes so late is none; one that is merely late still tells what was late. */
const GIVE_UP_MS = 40_000;

/** Sends a request and waits for what becomes of it; `stop` makes its client leave. It never throws. */
export async function ask(url: string, asked: Asked, stop: AbortSignal): Promise<Outcome> {
  const sentAt = Date.now();
  const left = asked.leave?.by === "socket" ? [stop, AbortSignal.timeout(asked.leave.afterMs)] : [stop];
  const signal = AbortSignal.any([...left, AbortSignal.timeout(GIVE_UP_MS)]);
  try {
    const response = await fetch(url, { ...requestOf(asked), signal });
    const text = await response.text();
    if (response.status === CLIENT_LEFT_STATUS && asked.leave?.by === "edge") return { kind: "left", sentAt };
    const { status, headers } = response;
    return { kind: "answered", sentAt, receivedAt: Date.now(), status, headers, text };
  } catch (error) {
    if (left.some(({ aborted }) => aborted)) return { kind: "left", sentAt };
    return { kind: "unanswered", sentAt, problem: describe(error) };
  }
}

function requestOf({ id, user, durationSeconds, rejectedToken, leave }: Asked): RequestInit {
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

/** The words of an error and of what caused it; fetch says what was wrong in the cause only. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}
