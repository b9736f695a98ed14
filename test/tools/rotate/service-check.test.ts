import { expect, it, onTestFinished } from "vitest";
import { serveOnLoopback } from "../../../tools/lib/loopback-server.ts";
import { sha256Hex } from "../../../tools/lib/sha256.ts";
import { readCommandLine } from "../../../tools/rotate/command-line.ts";
import { checkNewToken } from "../../../tools/rotate/service-check.ts";
import { createFolder, KID, keyPair, TOML } from "../doctor/folder.ts";

const CALLERS = `[[vars.CALLERS]]\nname = "script"\nkey_sha256 = "${sha256Hex("key")}"\nmax_duration = 300\n`;

/** Checks a service that responds with this, and returns what it was sent. */
async function check(credential: string, response: Response) {
  const requests: { readonly user: string | null; readonly seconds: number }[] = [];
  const service = await serveOnLoopback(async (request) => {
    const { duration_seconds: seconds } = (await request.json()) as { duration_seconds: number }; // what is checked here
    requests.push({ user: request.headers.get("X-User-ID"), seconds });
    return response.clone();
  });
  onTestFinished(service.close);
  const said: string[] = [];
  const root = createFolder({ "wrangler.toml": TOML + CALLERS });
  const ports = { say: (text: string) => said.push(text), credential };
  const context = { root, env: undefined, options: readCommandLine([]).options, ports };
  await checkNewToken(new URL(service.url), { kid: KID, privateKey: keyPair.privateKey }, context);
  return { requests, said };
}

const issued = Response.json({}, { headers: { "Cache-Status": "coze-token-worker; fwd=miss; stored; ttl=300" } });

it("requests a token for a user whom nothing is cached for, within what a caller may have", async () => {
  const { requests, said } = await check("key", issued);
  const [again] = (await check("key", issued)).requests;
  expect(requests).toEqual([{ user: expect.stringMatching(/./), seconds: expect.toSatisfy((s) => s > 0 && s <= 300) }]);
  expect(requests[0]?.user).not.toBe(again?.user);
  expect(said).toEqual([expect.stringContaining("has issued a new token")]);
});

it("requests a token for the user of a JWT by another duration than a client would", async () => {
  const lives = new Set<number>();
  for (let run = 0; run < 4; run += 1) {
    const { requests } = await check("header.payload.signature", issued);
    expect(requests[0]?.user).toBeNull();
    lives.add(requests[0]?.seconds ?? 0);
  }
  expect(lives.size).toBeGreaterThan(1);
});

it.each([
  [
    "a cached token",
    Response.json({}, { headers: { "Cache-Status": "coze-token-worker; hit; ttl=800" } }),
    /a cached one/,
  ],
  ["a page", new Response("<html>", { status: 520 }), /responds with 520, and not as this service does/],
])("does not take %s for a new token", async (_what, response, message) => {
  await expect(check("key", response)).rejects.toThrow(message);
});
