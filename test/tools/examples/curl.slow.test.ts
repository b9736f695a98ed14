import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import {
  BODIES_WITHOUT_TOKEN,
  type ExampleService,
  expectNoSecretIn,
  run,
  startService,
  startStandIn,
} from "./service.ts";

const API_KEY = "ctw_a-key-of-this-test";
const CALLERS = [{ name: "nightly-report", key_sha256: sha256Hex(API_KEY) }];

const TOKEN = { access_token: "czs_only-in-this-test", expires_in: 2_000_000_000, token_type: "Bearer" };

let service: ExampleService;

beforeAll(async () => {
  service = await startService(CALLERS);
});
afterAll(() => service[Symbol.asyncDispose]());

describe("examples/curl.sh", () => {
  const curl = (args: readonly string[], env = {}) =>
    run(["sh", "examples/curl.sh", ...args], { TOKEN_URL: service.tokenUrl, API_KEY, ...env });

  it("shows with curl.sh when the token expires, and only its first characters", async () => {
    const { code, stdout, stderr } = await curl(["ann"]);

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Token: {3}czs_.{4}…\nExpires: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, in (900|89\d) seconds\n$/);
  });

  it("prints with curl.sh --show the user's token, and nothing else", async () => {
    const shown = await curl(["--show", "bob"]);
    const token = shown.stdout.trimEnd();
    const sessions = (await service.coze.exchanges()).map(({ assertion }) => assertion?.claims["session_name"]);

    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(await service.coze.accepts(token)).toBe(true);
    expect(sessions).toContain("bob");
    expectNoSecretIn(shown.args, API_KEY);
  });

  it.each([
    ["a wrong key", ["ann"], { API_KEY: "ctw_wrong" }, "invalid_client", "Set API_KEY to the key of a caller."],
    ["a user id that is empty", [""], {}, "invalid_request", "X-User-ID"],
    ["a user id that is not ASCII", ["Zoë"], {}, "invalid_request", "X-User-ID"],
  ])("says in curl.sh what to do about %s, names the request, and tries once", async (_, args, env, error, advice) => {
    const { code, stdout, stderr } = await curl(args, env);

    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(error);
    expect(stderr).toContain(advice);
    expect(stderr).toMatch(/Request id: [\w-]{36}\n$/);
    expect(stderr).not.toContain("Attempt");
  });

  it.each([429, 503, 504])("tries again in curl.sh after a %i, when the service says so", async (status) => {
    const { url, requests } = await startStandIn([
      { status, headers: { "Retry-After": "1" }, body: { error: "one_of_them" } },
      { status: 200, headers: { "Cache-Status": "coze-token-worker; hit; ttl=812" }, body: TOKEN },
    ]);

    const startedAt = performance.now();
    const { code, stdout, stderr } = await curl([], { TOKEN_URL: url });

    expect(performance.now() - startedAt).toBeGreaterThan(1000);
    expect(stderr).toBe(`status ${status}, one_of_them. Attempt 2 of 4 follows in 1 seconds.\n`);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "Token:   czs_only…\nExpires: 2033-05-18T03:33:20Z, in 812 seconds\n",
    });
    expect(requests).toHaveLength(2);
  });

  it("ends curl.sh with 75 after four attempts", async () => {
    const overload = { status: 503, headers: { "Retry-After": "0" }, body: { error: "upstream_unavailable" } };
    const { url, requests } = await startStandIn(Array(9).fill(overload));

    const { code, stderr } = await curl([], { TOKEN_URL: url });

    expect(code).toBe(75);
    expect(stderr).toContain("No token: status 503, upstream_unavailable\n");
    expect(requests).toHaveLength(4);
  });

  it.each(BODIES_WITHOUT_TOKEN)("ends with 1 and prints nothing but advice for status 200 and %j", async (body) => {
    for (const args of [[], ["--show"]]) {
      const { url } = await startStandIn([{ status: 200, body }]);
      const { code, stdout, stderr } = await curl(args, { TOKEN_URL: url });

      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toBe(`No token: status 200, and a body without one. Is TOKEN_URL right? It is ${url}\n`);
    }
  });

  it("waits a minute at most, however long the service asks for", async () => {
    const { url } = await startStandIn([{ status: 503, headers: { "Retry-After": "9".repeat(20) }, body: {} }]);
    // The wait itself is cut short: this sleep ends the script.
    const { stderr } = await run(["sh", "-c", "sleep() { exit 1; }; . examples/curl.sh"], { TOKEN_URL: url });

    expect(stderr).toBe("status 503, . Attempt 2 of 4 follows in 60 seconds.\n");
  });

  it.each([
    ["user id", ["ada\nX-Evil: 1"], {}],
    ["API_KEY", ["ada"], { API_KEY: `${API_KEY}\r\nX-Evil: 1` }],
  ])("sends nothing with a line break in the %s", async (_, args, env) => {
    const { url, requests } = await startStandIn([]);
    const { code, stderr } = await curl(args, { ...env, TOKEN_URL: url });

    expect({ code, requests }).toEqual({ code: 1, requests: [] });
    expect(stderr).toBe("The user id or API_KEY has a line break or another control character.\n");
  });

  it("prints the text of errors without control characters, and backslashes as they are", async () => {
    const text = "\u001b]0;a\u0007\u009b\\033[31m\\c";
    const coze = { error_code: text, error_message: text };
    const { url } = await startStandIn([
      { status: 502, body: { error: "upstream_rejected", error_description: text, request_id: text, coze } },
    ]);
    const { stderr } = await curl([], { TOKEN_URL: url });

    const shown = "]0;a\\033[31m\\c";
    expect(stderr).toBe(
      `No token: status 502, upstream_rejected\n${shown}\nCoze refused: ${shown} ${shown}\nRequest id: ${shown}\n`,
    );
  });

  it("waits longer after each attempt of curl.sh without a response", async () => {
    const { code, stderr } = await curl([], { TOKEN_URL: "http://127.0.0.1:1/" });

    expect(code).toBe(75);
    expect(stderr).toMatch(/no response\. Attempt 2 of 4 follows in [12] seconds\.\n/);
    expect(stderr).toMatch(/no response\. Attempt 4 of 4 follows in [4-8] seconds\.\n/);
    expect(stderr).toContain("Is TOKEN_URL right? It is http://127.0.0.1:1/\n");
  });
});
