import { describe, expect, it } from "vitest";
import { createApp } from "../../../src/app.ts";
import { undocumentedParts } from "../../support/api-description.ts";
import { API_KEY, sha256 } from "../../support/callers.ts";
import { createTestApp } from "../../support/coze.ts";
import { ORIGIN, propertiesOf, startWorker } from "../../support/worker.ts";

const PATH = "/.well-known/oauth-authorization-server";
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const script = { name: "script", key_sha256: sha256(API_KEY) };
const web = { name: "web", issuer: "https://id.example.com", audience: "api" };
const visitors = { name: "visitors", anonymous: true };

describe("the metadata of the authorization server", () => {
  it.each<[string, object, readonly string[], readonly string[]]>([
    ["an open service", {}, ["client_credentials"], ["none"]],
    ["API keys", { CALLERS: [script] }, ["client_credentials"], ["client_secret_basic"]],
    ["JWTs", { CALLERS: [web] }, [TOKEN_EXCHANGE, JWT_BEARER], ["none"]],
    ["visitors", { CALLERS: [visitors] }, ["client_credentials"], ["none"]],
    [
      "all of them",
      { CALLERS: [script, web, visitors] },
      ["client_credentials", TOKEN_EXCHANGE, JWT_BEARER],
      ["client_secret_basic", "none"],
    ],
  ])(
    "names in the OAuth metadata the grants and client authentication of the callers, and nothing else: %s",
    async (_what, settings, grants, methods) => {
      const app = await createTestApp();
      const worker = await startWorker({ ...app.settings, ...settings });
      const response = await worker.fetch(PATH, { headers: { Origin: "https://app.example.com" } });
      expect(response.status).toBe(200);
      expect(await propertiesOf(response)).toEqual({
        issuer: ORIGIN,
        token_endpoint: `${ORIGIN}/oauth2/token`,
        grant_types_supported: grants,
        token_endpoint_auth_methods_supported: methods,
        response_types_supported: [],
      });
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "access-control-allow-origin": "*",
        "cache-control": "no-store",
        "content-type": "application/json",
      });
    },
  );

  it("refuses the OAuth metadata for a Host that makes no URL", async () => {
    const app = createApp({
      service: { issues: [] },
      allowedOrigins: "*",
      log: () => undefined,
      audit: async () => undefined,
      release: { version: "1", deployment: undefined },
      getConsolePage: async () => new Response(),
      now: Date.now,
    });
    // A Request that is made here always has a valid URL; one from the network need not.
    const request = { url: `http://[${PATH}`, method: "GET", headers: new Headers() } as Request;
    const response = await app.fetch(request, { startedAt: 0 });
    expect(response.status).toBe(400);
    expect(await undocumentedParts({ method: "GET", path: PATH }, response)).toEqual([]);
    expect(await propertiesOf(response)).toMatchObject({
      error: "invalid_request",
      error_description: "The header Host is invalid.",
    });
  });

  it("responds with server_misconfigured to a request for the OAuth metadata while settings are wrong", async () => {
    const worker = await startWorker({ CLIENT_ID: "1" });
    const response = await worker.fetch(PATH);
    expect(response.status).toBe(500);
    expect(await propertiesOf(response)).toMatchObject({
      error: "server_misconfigured",
      problems: expect.arrayContaining([{ setting: "KID", problem: "is required" }]),
    });
  });
});
