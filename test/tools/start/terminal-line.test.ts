import { describe, expect, it } from "vitest";
import { jsonFormat, readableFormat, timedLine } from "../../../tools/start/terminal-line.ts";

const TIME = new Date(2026, 10, 21, 9, 5, 3);
const REQUEST = { method: "POST", path: "/", status: 200, cache: "miss", caller: "anyone", durationMs: 23 };

describe("readableFormat", () => {
  it.each([
    { of: "a granted request", request: REQUEST, line: "POST /  200  miss  anyone  23 ms" },
    {
      of: "a request that is not for a token",
      request: { method: "GET", path: "/health", status: 200, durationMs: 1 },
      line: "GET /health  200  1 ms",
    },
    {
      of: "a refused request, with the error and its sentence",
      request: { ...REQUEST, status: 502, cache: undefined, error: "upstream_rejected", description: "Coze says no." },
      line: "POST /  502  anyone  23 ms  upstream_rejected: Coze says no.",
    },
    {
      of: "wrong settings, with each of them",
      request: {
        ...{ method: "POST", path: "/", status: 500, durationMs: 2 },
        ...{ error: "server_misconfigured", description: "Settings are wrong." },
        problems: [{ setting: "KID", problem: "is required" }],
      },
      line: "POST /  500  2 ms  server_misconfigured: Settings are wrong. KID is required.",
    },
    {
      of: "a misconfigured /health",
      request: {
        ...{ method: "GET", path: "/health", status: 503, durationMs: 2 },
        problems: [{ setting: "KID", problem: "is required" }],
      },
      line: "GET /health  503  2 ms  KID is required.",
    },
  ])("prints the time and one line for $of", ({ request, line }) => {
    expect(readableFormat({ request }, TIME)).toBe(`09:05:03  ${line}`);
  });

  it.each([
    [
      '{"level":"warn","event":"renewal_failed","error":"upstream_timeout"}',
      "warning  renewal_failed  error: upstream_timeout",
    ],
    ['{"level":"warn","event":"circuit_opened","retry_after":5}', "warning  circuit_opened  retry_after: 5"],
    [
      '{"level":"error","event":"unexpected_error","request_id":"1","cause":"Error: Oh no\\n    at f"}',
      "error  unexpected_error  cause: Error: Oh no",
    ],
    [
      '{"level":"warn","event":"previous_key_used","description":"No.","coze":{"code":"access_deny"}}',
      'warning  previous_key_used  description: No.  coze: {"code":"access_deny"}',
    ],
  ])("prints the time and one line for the event %s", (logged, line) => {
    expect(readableFormat({ logged }, TIME)).toBe(`09:05:03  ${line}`);
  });

  it.each([
    '{"level":"info","event":"ready","access":"open","cache":"kv"}',
    '{"level":"warn","event":"token_request","outcome":"refused"}',
  ])("prints nothing for the event %s", (logged) => {
    expect(readableFormat({ logged }, TIME)).toBeUndefined();
  });

  it("prints the time when wrangler has loaded an edited file", () => {
    expect(readableFormat({ isReloaded: true }, TIME)).toBe("09:05:03  reloaded");
  });

  it.each(["a note\nof mine", "17", "null", '{"a":1}'])("prints %j, which is no event, as it is", (logged) => {
    expect(readableFormat({ logged }, TIME)).toBe(logged);
  });
});

describe("jsonFormat", () => {
  it("prints as JSON what the Worker logs, unchanged", () => {
    const logged = '{"level":"info","event":"ready","access":"open","cache":"kv"}';

    expect(jsonFormat({ logged }, TIME)).toBe(logged);
  });

  it.each([{ request: REQUEST }, { isReloaded: true as const }])("prints nothing as JSON for %j", (event) => {
    expect(jsonFormat(event, TIME)).toBeUndefined();
  });
});

describe("timedLine", () => {
  it("replaces control characters, so that no field of an event can control the terminal", () => {
    expect(timedLine(TIME, ["a\u001b[31m red\r\nb", "\u0007c"])).toBe("09:05:03  a red??b  ?c");
  });
});
