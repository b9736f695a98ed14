import { describe, expect, it } from "vitest";
import { MAX_USER_ID_LENGTH, parseUserId } from "../../../../src/core/auth/user-id.ts";

describe("parseUserId", () => {
  it("reads an absent X-User-ID as the shared session", () => {
    expect(parseUserId(null)).toBeUndefined();
  });

  it.each([
    ["one character", "u"],
    ["an inner space", "Ada Lovelace"],
    ["a percent-encoded name", encodeURIComponent("用户一")],
    ["the longest one", "x".repeat(MAX_USER_ID_LENGTH)],
    ["a word that means nothing here", "null"],
    ["a word that means nothing here", "undefined"],
    ["a word that means nothing here", "anyone"],
    ["the word of the shared session elsewhere", "default-session"],
  ])("accepts as a user id %s: %s", (_what, header) => {
    expect(parseUserId(header)).toBe(header);
  });

  it("accepts within a user id exactly the visible ASCII characters and the space", () => {
    const isAccepted = (unit: string) => {
      try {
        return parseUserId(`a${unit}b`) === `a${unit}b`;
      } catch {
        return false;
      }
    };
    const units = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code));
    expect(units.filter(isAccepted).join("")).toBe(
      String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 0x20 + index)),
    );
  });

  it.each([
    ["an empty user id", "", "is empty"],
    ["one that is too long", "x".repeat(MAX_USER_ID_LENGTH + 1), "is longer than 128 characters"],
    ["a leading space", " user", "visible ASCII"],
    ["a trailing space", "user ", "visible ASCII"],
    ["a single space", " ", "visible ASCII"],
    ["a line break", "user\n", "visible ASCII"],
    ["Chinese", "用户", "visible ASCII"],
  ])("refuses an X-User-ID with its name in the message: %s", (_what, header, sentence) => {
    expect(() => parseUserId(header)).toThrow(
      expect.objectContaining({ code: "invalid_request", message: expect.stringContaining(sentence) }),
    );
    expect(() => parseUserId(header)).toThrow("X-User-ID");
  });
});
