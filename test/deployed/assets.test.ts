import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import packageJson from "../../package.json" with { type: "json" };
import { createKeyPair } from "../../tools/lib/key-pair.ts";
import { documentedOutcomes, isStaticFile, undocumentedParts } from "../support/api-description.ts";
import { SHIPPED_TOML_PATH } from "../support/shipped-toml.ts";

const MAX_CLIENT_BYTES = 3 * 1024;
/** A page that a phone loads in a moment; a framework would not fit. */
const MAX_CONSOLE_BYTES = 20 * 1024;

let harness: TestHarness;

/** Through Cloudflare's own router of static assets, which decides what reaches the Worker. */
beforeAll(async () => {
  harness = createTestHarness({
    workers: [
      {
        configPath: SHIPPED_TOML_PATH,
        vars: { CLIENT_ID: "1127896425345", KID: "kid" },
        secrets: { PRIVATE_KEY: createKeyPair().privateKey },
      },
    ],
  });
  await harness.listen();
});

afterAll(() => harness.close());

describe("the static assets", () => {
  it("serves the client module to every page", async () => {
    const response = await harness.fetch("/client.js", { headers: { Origin: "https://app.example.com" } });
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toMatch(/^text\/javascript/);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(await response.text()).toContain("createTokenProvider");
  });

  it("keeps the client module under 3 KiB gzipped", async () => {
    const script = await (await harness.fetch("/client.js")).text();
    expect(gzipSync(script, { level: 9 }).length).toBeLessThanOrEqual(MAX_CLIENT_BYTES);
  });

  it("serves the types of the client module as plain text", async () => {
    const response = await harness.fetch("/client.d.ts");
    expect(response.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    const types = await response.text();
    expect(types).toContain("export declare function createTokenProvider");
    expect(types).not.toMatch(/^(?:import|export .* from)\b/m);
  });

  it.each(documentedOutcomes(isStaticFile))(
    "responds to requests for static assets as documented: %s",
    async (outcome) => {
      const [method = "", path = "", status] = outcome.split(" ");
      const current = (await harness.fetch(path)).headers.get("ETag") ?? "";
      const response = await harness.fetch(path, {
        method,
        headers: { ...(status === "304" && { "If-None-Match": current }) },
      });
      expect(response.status).toBe(Number(status));
      expect(await undocumentedParts({ method, path }, response)).toEqual([]);
    },
  );

  it("serves this version's OpenAPI document to every page", async () => {
    const response = await harness.fetch("/openapi.json");
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(await response.json()).toMatchObject({ openapi: "3.1.1", info: { version: packageJson.version } });
  });

  it.each(["POST", "OPTIONS"])("responds to %s on a static asset with 405 and Allow", async (method) => {
    const response = await harness.fetch("/client.js", { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe("GET, HEAD");
  });

  it("leaves every path but three to the Worker", async () => {
    for (const path of ["/nothing", "/console.html", "/_headers", "/client.js/x"]) {
      const response = await harness.fetch(path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.json()).toMatchObject({ error: "not_found" });
    }
    expect((await harness.fetch("/health")).status).toBe(200);
    expect((await harness.fetch("/", { method: "OPTIONS" })).status).toBe(204);
  });

  it("keeps the console under 20 KiB gzipped", async () => {
    const page = await (await harness.fetch("/", { headers: { Accept: "text/html" } })).text();
    expect(gzipSync(page, { level: 9 }).length).toBeLessThanOrEqual(MAX_CONSOLE_BYTES);
  });

  it("builds the console into one page that runs only its own script and style, and loads nothing", async () => {
    const response = await harness.fetch("/", { headers: { Accept: "text/html" } });
    const policy = response.headers.get("Content-Security-Policy") ?? "";
    const page = await response.text();
    for (const element of ["script", "style"]) {
      const contents = Array.from(
        page.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs")),
        ([, text = ""]) => text,
      );
      expect(contents).toHaveLength(1);
      const hashes = contents.map((content) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`);
      expect(policy).toContain(`${element}-src ${hashes[0]};`);
    }
    expect(policy).toContain("default-src 'none'; ");
    expect(policy).toContain("connect-src 'self'; ");
    expect(page.match(/\s(?:src|srcset|action|style|on\w+)=/gi)).toBeNull();
  });
});
