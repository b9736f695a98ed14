import { createExecutionContext } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { createAuditLog } from "../../../src/adapters/logging/audit-log.ts";
import { createApp } from "../../../src/app.ts";
import { TokenError } from "../../../src/core/token-error.ts";
import type { ReadyService } from "../../../src/http/service.ts";
import type { Line } from "../../support/log.ts";

/** Everything that is logged about a request whose caller cannot be authenticated because of this error. */
async function linesFor(error: unknown): Promise<readonly Line[]> {
  const lines: Line[] = [];
  const log = (level: string, event: string, facts: object = {}) => void lines.push({ level, event, ...facts });
  const service: ReadyService = {
    authenticate: async () => Promise.reject(error),
    getToken: () => Promise.reject(new Error("not reached")),
    limitsFor: () => ({ durationSeconds: 900, scope: undefined }),
    sessionNameFor: () => undefined,
    countRequest: undefined,
    countExchange: undefined,
    callerCountFor: () => undefined,
    verifyTurnstile: async () => undefined,
    credentialKinds: new Set(),
    access: "closed",
    cache: "memory",
    serverTiming: false,
  };
  const audit = createAuditLog({
    log,
    userDigest: async () => undefined,
    metrics: undefined,
    activeSpan: () => undefined,
  });
  let milliseconds = 0;
  const now = () => (milliseconds += 5);
  const startedAt = now();
  const release = { version: "1", deployment: undefined };
  const getConsolePage = async () => new Response();
  const app = createApp({ service, allowedOrigins: "*", log, audit, release, getConsolePage, now });
  await app.request("/", { method: "POST" }, { startedAt }, createExecutionContext());
  return lines;
}

async function loggedFor(error: unknown): Promise<readonly Line[]> {
  return (await linesFor(error)).filter(({ event }) => event === "token_request");
}

describe("the line about a request that failed", () => {
  it("logs a request that fails by a bug as an error with its cause", async () => {
    expect(await loggedFor(new RangeError("a bug"))).toEqual([
      expect.objectContaining({
        level: "error",
        outcome: "refused",
        error: "server_error",
        cause: expect.stringContaining("RangeError: a bug"),
        total_ms: 5,
      }),
    ]);
  });

  it("logs the cause of a refused request when there is one", async () => {
    const error = new TokenError("issuer_unavailable", "Try again.", { cause: new TypeError("network away") });
    expect(await loggedFor(error)).toEqual([
      expect.objectContaining({
        level: "warn",
        error: "issuer_unavailable",
        cause: expect.stringContaining("TypeError: network away"),
      }),
    ]);
  });

  it("logs 500 characters of a cause, for the request and for the bug", async () => {
    const lines = await linesFor(new RangeError("x".repeat(60_000)));
    const cause = `RangeError: ${"x".repeat(488)}`;
    expect(lines).toEqual([
      expect.objectContaining({ event: "unexpected_error", cause }),
      expect.objectContaining({ event: "token_request", cause }),
    ]);
  });

  it("does not log a cause that is not an error", async () => {
    const [line] = await loggedFor(new TokenError("invalid_client", "No.", { cause: "hunter2" }));
    expect(line).toMatchObject({ error: "invalid_client" });
    expect(JSON.stringify(line)).not.toContain("hunter2");
  });
});
