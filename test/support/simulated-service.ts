import type { TokenFetch } from "../../src/client/client.ts";

/** How the service, or the network before it, takes the next request. */
export type Treatment = {
  readonly ms: number;
  readonly outcome: "issues" | "is down" | "limits" | "drops" | "refuses" | "is broken" | "hangs";
  readonly ttlSeconds: number;
  readonly retryAfterSeconds: number;
};

/** A token as the service knows it. Times are milliseconds of real time. */
export type SimulatedToken = { readonly userId: string; readonly issuedAt: number; readonly endsAt: number };

/** A request as the service saw it. */
export type SimulatedRequest = {
  readonly userId: string;
  readonly startedAt: number;
  readonly rejectedToken: string | undefined;
  readonly outcome: Treatment["outcome"];
  readonly retryAfterSeconds: number;
  endedAt?: number;
  timedOut?: true;
  token?: string;
};

/** A newer token is returned although it was rejected. */
const MIN_REJECTED_AGE_MS = 10_000;

/**
 * Simulates the service over a slow and faulty network: one user has one token, which is replaced when it is old, was
 * rejected, or has less than the minimum asked for. `now` is real time, whatever the client's clock says.
 */
export function simulateService(treatments: readonly Treatment[], now: () => number) {
  const requests: SimulatedRequest[] = [];
  const issued = new Map<string, SimulatedToken>();
  const current = new Map<string, string>();

  const fetch: TokenFetch = async (_url, { headers, body, signal }) => {
    const userId = headers["X-User-ID"] ?? "";
    const wishes: { minimum_seconds?: number; rejected_token?: string } = JSON.parse(body ?? "{}");
    const treatment = treatments[requests.length % treatments.length];
    if (treatment === undefined) throw new Error("A plan has treatments.");
    const { outcome, retryAfterSeconds } = treatment;
    const startedAt = now();
    const request: SimulatedRequest = {
      userId,
      startedAt,
      rejectedToken: wishes.rejected_token,
      outcome,
      retryAfterSeconds,
    };
    requests.push(request);
    // The service decides at the beginning, and its response is slow: the worst for the life of a token.
    const token = outcome === "issues" ? tokenFor(userId, wishes, treatment.ttlSeconds) : undefined;
    const ttl = token === undefined ? 0 : Math.floor(((issued.get(token)?.endsAt ?? 0) - now()) / 1000);

    await new Promise<void>((resolve, reject) => {
      const timer = outcome === "hangs" ? undefined : setTimeout(resolve, treatment.ms);
      signal?.addEventListener("abort", () => {
        request.timedOut = true;
        clearTimeout(timer);
        reject(new Error("aborted"));
      });
    }).finally(() => {
      request.endedAt = now();
    });
    if (outcome === "drops") throw new TypeError("fetch failed");
    if (token !== undefined) request.token = token;
    return responseTo(outcome, token, ttl, retryAfterSeconds);
  };

  function tokenFor(
    userId: string,
    { minimum_seconds = 0, rejected_token }: { minimum_seconds?: number; rejected_token?: string },
    ttlSeconds: number,
  ): string {
    const name = current.get(userId);
    const token = name === undefined ? undefined : issued.get(name);
    if (name !== undefined && token !== undefined) {
      const life = token.endsAt - token.issuedAt;
      const wanted = Math.max(life / 10, Math.min(minimum_seconds * 1000, life / 2));
      const isRejected = rejected_token === name && now() - token.issuedAt >= MIN_REJECTED_AGE_MS;
      if (!isRejected && token.endsAt - now() > wanted) return name;
    }
    const next = `${userId}-${issued.size}`;
    issued.set(next, { userId, issuedAt: now(), endsAt: now() + ttlSeconds * 1000 });
    current.set(userId, next);
    return next;
  }

  return { fetch, requests, issued };
}

const STATUS = {
  issues: 200,
  "is broken": 200,
  "is down": 503,
  limits: 429,
  refuses: 403,
  drops: 0,
  hangs: 0,
} satisfies Record<Treatment["outcome"], number>;

function responseTo(outcome: Treatment["outcome"], token: string | undefined, ttl: number, retryAfterSeconds: number) {
  const headers: Readonly<Record<string, string>> = {
    ...(token !== undefined && { "Cache-Status": `coze-token-worker; hit; ttl=${ttl}` }),
    ...(retryAfterSeconds > 0 && { "Retry-After": String(retryAfterSeconds) }),
  };
  return {
    status: STATUS[outcome],
    headers: { get: (name: string) => headers[name] ?? null },
    json: async () => (token === undefined ? { error: outcome } : { access_token: token }),
  };
}
