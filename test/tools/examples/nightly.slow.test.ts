import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
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

/** A token that is younger is not replaced: a new one that is refused lacks a permission. */
const MIN_REPLACED_AGE_MS = 10_000;

let service: ExampleService;

beforeAll(async () => {
  service = await startService(CALLERS);
});
afterAll(() => service[Symbol.asyncDispose]());

describe("examples/nightly.sh", () => {
  const nightly = (env: Readonly<Record<string, string>> = {}) =>
    run(["sh", "examples/nightly.sh"], { TOKEN_URL: service.tokenUrl, COZE_API: service.cozeApi, API_KEY, ...env });

  it("gets a token in nightly.sh with a key from a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "examples-key-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "key"), `${API_KEY}\n`);

    const { code, stdout, stderr, args } = await nightly({ API_KEY: "", API_KEY_FILE: join(folder, "key") });

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^The job works for 1127896425345 \(\d{16}\)\.\n$/);
    expectNoSecretIn(args, API_KEY);
  });

  it("replaces a rejected token in nightly.sh, once", async () => {
    const first = await nightly({ USER_ID: "eve" });
    await sleep(MIN_REPLACED_AGE_MS);
    await service.coze.revoke("eve");

    const second = await nightly({ USER_ID: "eve" });

    const sessions = (await service.coze.exchanges()).map(({ assertion }) => assertion?.claims["session_name"]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(second.stdout).toBe(first.stdout);
    expect(sessions.filter((name) => name === "eve")).toHaveLength(2);
    expectNoSecretIn(second.args, API_KEY);
  });

  it("tries again in nightly.sh when the service says so", async () => {
    const token = { access_token: "czs_only-in-this-test", expires_in: 2_000_000_000, token_type: "Bearer" };
    const { url, requests } = await startStandIn([
      { status: 503, headers: { "Retry-After": "1" }, body: { error: "upstream_unavailable" } },
      { status: 200, body: token },
      { status: 200, body: { code: 0, data: { nick_name: "Ann", user_id: "7" } } },
    ]);

    const ended = await nightly({ TOKEN_URL: url, COZE_API: url });

    expect(ended).toMatchObject({ code: 0, stdout: "The job works for Ann (7).\n" });
    expect(requests).toEqual(["/", "/", "/v1/users/me"]);
  });

  it("ends nightly.sh with 77 when Coze rejects a new token", async () => {
    const { tokenUrl } = service;
    const { url } = await startStandIn(Array(2).fill({ status: 401, body: { code: 4100, msg: "no" } }));

    const { code, stdout, stderr } = await nightly({ TOKEN_URL: tokenUrl, COZE_API: url });

    expect({ code, stdout }).toEqual({ code: 77, stdout: "" });
    expect(stderr).toBe('nightly: Coze rejects the token: {"code":4100,"msg":"no","detail":null}\n');
  });

  it("treats a rejection with status 200 as one in nightly.sh", async () => {
    const { url, requests } = await startStandIn([
      { status: 200, body: { code: 4101, msg: "no" } },
      { status: 200, body: { code: 0, data: { nick_name: "Ann", user_id: "7" } } },
    ]);

    expect(await nightly({ COZE_API: url })).toMatchObject({ code: 0, stdout: "The job works for Ann (7).\n" });
    expect(requests).toHaveLength(2);
  });

  it.each(BODIES_WITHOUT_TOKEN)("ends with 78 for status 200 and %j, and sends Coze nothing", async (body) => {
    const { url, requests } = await startStandIn([{ status: 200, body }]);
    const { code, stdout, stderr } = await nightly({ TOKEN_URL: url, COZE_API: url });

    expect({ code, stdout, requests }).toEqual({ code: 78, stdout: "", requests: ["/"] });
    expect(stderr).toBe(`nightly: status 200 without a token; is TOKEN_URL right? It is ${url}\n`);
  });

  it.each(["<html>", "", { code: 4000, msg: "no" }])("ends with 69 when Coze sends %j for a user", async (body) => {
    const { url } = await startStandIn([{ status: 200, body }]);
    const { code, stdout, stderr } = await nightly({ COZE_API: url });

    expect({ code, stdout }).toEqual({ code: 69, stdout: "" });
    expect(stderr).toBe("nightly: Coze responded with status 200, and without a user\n");
  });

  it("prints the text of responses without control characters, and backslashes as they are", async () => {
    const text = "\u001b]0;a\u0007\u009b\\033[31m\\c";
    const refusing = await startStandIn([{ status: 401, body: { error: text, error_description: text } }]);
    const named = await startStandIn([{ status: 200, body: { data: { nick_name: text, user_id: "7" } } }]);

    const shown = "]0;a\\033[31m\\c";
    expect((await nightly({ TOKEN_URL: refusing.url })).stderr).toBe(
      `nightly: no token: ${shown}: ${shown} (request id null)\n`,
    );
    expect((await nightly({ COZE_API: named.url })).stdout).toBe(`The job works for ${shown} (7).\n`);
  });

  it("sends nothing when the key file has two lines", async () => {
    const folder = await mkdtemp(join(tmpdir(), "examples-key-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "key"), `${API_KEY}\nX-Evil: 1\n`);
    const { url, requests } = await startStandIn([]);

    const { code, stderr } = await nightly({ API_KEY_FILE: join(folder, "key"), TOKEN_URL: url });

    expect({ code, requests }).toEqual({ code: 78, requests: [] });
    expect(stderr).toBe("nightly: USER_ID or the key has a line break or another control character\n");
  });

  it.each([
    [
      77,
      "the key is wrong",
      { API_KEY: "ctw_wrong" },
      /^nightly: no token: invalid_client: .+ \(request id [\w-]{36}\)\n$/,
    ],
    [
      78,
      "there is no key file",
      { API_KEY_FILE: "/nowhere.key" },
      /nightly: the key cannot be read from \/nowhere\.key\n$/,
    ],
    [78, "the user id has two lines", { USER_ID: "ada\nX-Evil: 1" }, /^nightly: USER_ID or the key has a line break/],
    [78, "the user id is wrong", { USER_ID: "Zoë" }, /^nightly: no token: invalid_request: /],
    [69, "Coze is not there", { COZE_API: "http://127.0.0.1:1" }, /nightly: Coze does not respond\n$/],
    [
      69,
      "the service is not there",
      { TOKEN_URL: "http://127.0.0.1:1" },
      /nightly: the token service does not respond\n$/,
    ],
  ])("ends nightly.sh with %i and a sentence when %s", async (status, _, env, sentence) => {
    const { code, stdout, stderr } = await nightly(env);

    expect({ code, stdout }).toEqual({ code: status, stdout: "" });
    expect(stderr).toMatch(sentence);
  });
});
