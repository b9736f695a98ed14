import { build } from "esbuild";
import { expect, it } from "vitest";
import type { TokenFetch, TokenProviderOptions } from "../../src/client/client.ts";

/** The client as a page has it that imports it from an address. */
async function importFrom(address: string): Promise<typeof import("../../src/client/client.ts")> {
  const { outputFiles } = await build({
    entryPoints: ["src/client/client.ts"],
    bundle: true,
    format: "esm",
    write: false,
    define: { "import.meta.url": JSON.stringify(address) },
  });
  return import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? "")}`);
}

it("sends token requests to the service that served the client, unless endpoint is set", async () => {
  const { createTokenProvider } = await importFrom("https://token.example.com/client.js");
  const urls: string[] = [];
  const fetch: TokenFetch = async (url) => {
    urls.push(url);
    return { status: 200, headers: { get: () => null }, json: async () => ({ access_token: "token" }) };
  };
  const options: TokenProviderOptions = { userId: "ada", fetch };
  await createTokenProvider(options)();
  await createTokenProvider({ ...options, endpoint: "https://other.example.com/" })();
  expect(urls).toEqual(["https://token.example.com/", "https://other.example.com/"]);
});

it("throws without an endpoint in a bundled client", async () => {
  const { createTokenProvider } = await importFrom("https://app.example.com/assets/app.js");
  expect(() => createTokenProvider()).toThrow(TypeError);
});
