import { describe, expect, it, vi } from "vitest";
import { cozeChatAuth, onBeforeAPICall } from "../../../src/client/client.ts";

describe("cozeChatAuth", () => {
  it("gives cozeChatAuth a token, and replaces the one that the SDK passes back", async () => {
    const getToken = vi.fn(async () => "new").mockResolvedValueOnce("first");
    const auth = await cozeChatAuth(getToken);
    expect(auth).toEqual({ type: "token", token: "first", onRefreshToken: expect.any(Function) });
    expect(await auth.onRefreshToken("first")).toBe("new");
    expect(getToken).toHaveBeenLastCalledWith({ rejectedToken: "first" });
  });

  it("reports to onError and returns an empty token when a chat gets none", async () => {
    const reason = new Error("down");
    const onError = vi.fn();
    const getToken = vi
      .fn(async () => "token")
      .mockRejectedValueOnce(reason)
      .mockRejectedValueOnce(reason);
    const auth = await cozeChatAuth(getToken, { onError });
    expect(auth.token).toBe("");
    expect(await auth.onRefreshToken("")).toBe("");
    expect(onError.mock.calls).toEqual([[reason], [reason]]);
    expect(await auth.onRefreshToken("")).toBe("token");
  });

  it.each([
    ["is not there", undefined],
    [
      "throws",
      () => {
        throw new Error("in the page");
      },
    ],
  ])("resolves cozeChatAuth when onError %s", async (_, onError) => {
    const auth = await cozeChatAuth(() => Promise.reject(new Error("down")), { onError });
    expect(await auth.onRefreshToken("old")).toBe("");
  });
});

describe("onBeforeAPICall", () => {
  it("returns a token from onBeforeAPICall, whatever the SDK passes", async () => {
    const getToken = vi.fn(async () => "token");
    const before: (options: unknown) => Promise<{ token: string }> = onBeforeAPICall(getToken);
    expect(await before({ signal: "of the SDK", data: {} })).toEqual({ token: "token" });
    expect(getToken).toHaveBeenCalledExactlyOnceWith();
  });
});
