import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TokenProviderOptions } from "../../../src/client/client.ts";
import { createServiceStandIn } from "../../support/service-stand-in.ts";

const RANDOM_ID = /^\d+-\d+-\d+-\d+$/;
const KEY = "coze-token-worker.visitor";

let service: ReturnType<typeof createServiceStandIn>;
let stored: Map<string, string>;

beforeEach(() => {
  service = createServiceStandIn();
  stored = new Map();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  });
});

afterEach(() => void vi.unstubAllGlobals());

/** Opens a page, which loads the module anew. Returns how to get the user id that a provider of this page sends. */
async function openPage(): Promise<(options?: TokenProviderOptions) => Promise<string | undefined>> {
  vi.resetModules();
  const { createTokenProvider } = await import("../../../src/client/client.ts");
  return async function sentUserId(options = {}) {
    await createTokenProvider({ endpoint: "https://token.example.com", fetch: service.fetch, ...options })();
    return service.requests.at(-1)?.headers["X-User-ID"];
  };
}

describe("the id of a visitor", () => {
  it("stores a random visitor id in localStorage, and reads it in the next page", async () => {
    const id = await (await openPage())();
    expect(id).toMatch(RANDOM_ID);
    expect([...stored]).toEqual([[KEY, id]]);
    expect(await (await openPage())()).toBe(id);
  });

  it("keeps a page's visitor id when another tab changes localStorage", async () => {
    const sentUserId = await openPage();
    const id = await sentUserId();
    stored.set(KEY, "10-20-30-40");
    expect(await sentUserId()).toBe(id);
  });

  it.each(["admin", "x1-2-3-4", "1-2-3-4-5", "1-2-3-4\n"])(
    "replaces a stored %j, which is not a visitor id",
    async (id) => {
      stored.set(KEY, id);
      expect(await (await openPage())()).toMatch(RANDOM_ID);
      expect(stored.get(KEY)).toMatch(RANDOM_ID);
    },
  );

  it.each([
    ["is not there", undefined],
    [
      "throws",
      {
        getItem() {
          throw new Error("SecurityError");
        },
        setItem() {
          throw new Error("QuotaExceededError");
        },
      },
    ],
  ])("uses one visitor id in a page whose localStorage %s", async (_, storage) => {
    vi.stubGlobal("localStorage", storage);
    const sentUserId = await openPage();
    const id = await sentUserId();
    expect(id).toMatch(RANDOM_ID);
    expect(await sentUserId()).toBe(id);
  });

  it.each([
    ["a user", { userId: "ada" }, "ada"],
    ["a credential", { credential: "jwt" }, undefined],
  ])("creates no visitor id for a provider with %s", async (_, options, expected) => {
    expect(await (await openPage())(options)).toBe(expected);
    expect(stored.size).toBe(0);
  });

  it.each<[string, TokenProviderOptions]>([
    ["the credential is undefined", { credential: () => undefined }],
    ["the credential is null", { credential: () => null, userId: "ada" }],
    ["the credential is empty", { credential: () => "" }],
    ["the user id is empty", { userId: () => "" }],
    ["the credential has two lines", { credential: "key\n# of a script" }],
    ["the user id is not ASCII", { userId: "ада" }],
  ])("is never sent for somebody who should be known: %s", async (_, options) => {
    const sentUserId = await openPage();
    await expect(sentUserId(options)).rejects.toMatchObject({ code: "no_identity" });
    expect(service.requests).toHaveLength(0);
  });
});
