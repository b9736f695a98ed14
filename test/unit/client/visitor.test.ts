import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTokenProvider, type TokenProviderOptions } from "../../../src/client/client.ts";
import { createServiceStandIn } from "../../support/service-stand-in.ts";

const RANDOM_ID = /^\d+-\d+-\d+-\d+$/;

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

/** The user id that a provider sends. */
async function sentUserId(options: TokenProviderOptions = {}): Promise<string | undefined> {
  await createTokenProvider({ endpoint: "https://token.example.com", fetch: service.fetch, ...options })();
  return service.requests.at(-1)?.headers["X-User-ID"];
}

describe("a visitor", () => {
  it("gets a random id that localStorage keeps", async () => {
    const id = await sentUserId();
    expect(id).toMatch(RANDOM_ID);
    expect([...stored.values()]).toEqual([id]);
    expect(await sentUserId()).toBe(id);
  });

  it("has the id of an earlier page", async () => {
    await sentUserId();
    const [key = ""] = stored.keys();
    stored.set(key, "10-20-30-40");
    expect(await sentUserId()).toBe("10-20-30-40");
  });

  it.each(["admin", "x1-2-3-4", "1-2-3-4-5", "1-2-3-4\n"])("gets another id in place of %j", async (id) => {
    await sentUserId();
    const [key = ""] = stored.keys();
    stored.set(key, id);
    expect(await sentUserId()).toMatch(RANDOM_ID);
    expect(stored.get(key)).toMatch(RANDOM_ID);
  });

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
  ])("has one id in all of a page where localStorage %s", async (_, storage) => {
    vi.stubGlobal("localStorage", storage);
    const id = await sentUserId();
    expect(id).toMatch(RANDOM_ID);
    expect(await sentUserId()).toBe(id);
  });

  it.each([
    ["a user", { userId: "ada" }, "ada"],
    ["a credential", { credential: "jwt" }, undefined],
  ])("is nobody who has %s", async (_, options, expected) => {
    expect(await sentUserId(options)).toBe(expected);
    expect(stored.size).toBe(0);
  });

  it.each([[undefined], [null], [""]])("is who has logged out, so that the credential is %j", async (nothing) => {
    expect(await sentUserId({ credential: () => nothing })).toMatch(RANDOM_ID);
  });
});
