import { describe, expect, it } from "vitest";
import { maxComparisons, parseClaimPattern } from "../../../src/config/claim-pattern.ts";
import { parsedValue } from "../../support/parsed-value.ts";

function accepted(pattern: string): RegExp {
  return parsedValue(parseClaimPattern(pattern));
}

describe("a claim pattern", () => {
  it.each([
    ["refs/(heads/main|tags/v\\d+)", "refs/tags/v12", "refs/tags/v12/x"],
    ["[\\w.-]+@[\\w-]+\\.example\\.com", "ada.l@eu.example.com", "ada@example.com"],
    ["repo:org/.+:ref:refs/heads/.+", "repo:org/chat:ref:refs/heads/main", "repo:org:ref:refs/heads/main"],
    ["a|b", "b", "ab"],
    ["^a$", "a", "a\n"],
    ["(?:[\\w-]+\\.){1,2}example\\.com", "a.b.example.com", "a.b.c.example.com"],
    ["(abc)*", "abcabc", "abca"],
    ["[\\]()|*+?{}]+", "]()|*", "a"],
    ["\\(\\?=\\)\\{2\\}", "(?=){2}", "(?="],
    ["\\p{Lu}\\u{1F600}*?\\x41\\u0041?", "Ä😀😀A", "ä"],
    ["😀{2}", "😀😀", "😀"],
    ["a{3}", "aaa", "aa"],
    ["a{2,}", "aaa", "a"],
    ["a{1024}", "a".repeat(1024), "a"],
    ["(?:){3}a", "a", ""],
  ])("matches a pattern with the whole of a claim: %s", (pattern, match, other) => {
    expect(accepted(pattern).test(match)).toBe(true);
    expect(accepted(pattern).test(other)).toBe(false);
  });

  it.each(["(", "a)", "a@x\\.com)|(?:b@x\\.com", "[a", "a\\", "a{2,1}", "*", "]", "\\-"])(
    "refuses a pattern that is no regular expression by itself: %s",
    (pattern) => {
      expect(parseClaimPattern(pattern)).toEqual({ issues: [{ path: "", message: "is not a regular expression" }] });
    },
  );

  it.each([
    "(?=a)a",
    "(?!a)b",
    "(?<=a)b",
    "(?<!a)b",
    "(a)\\1",
    "(?<name>a)\\k<name>",
    "(?<name>a)",
    "(?i:a)",
    "(?-s:.)",
  ])("refuses a pattern with syntax whose cost is not counted: %s", (pattern) => {
    expect(parseClaimPattern(pattern)).toEqual({
      issues: [{ path: "", message: expect.stringContaining("must do without lookaround") }],
    });
  });

  it.each([
    "(\\w+\\s?)+",
    "(a|a)*",
    "(a|b)+?",
    "(a?){30}",
    "a?".repeat(30),
    "\\w*\\w*\\w*x",
    "\\w{0,500}\\w{0,500}\\w{0,500}x",
    "(a*)*",
    "(?:a{0,2}){40}",
    "(?:(?:){9999}){9999}",
    `.*.*x{100}`,
    `${"(a|a)".repeat(20)}x{1000}`,
    `a{${"9".repeat(400)}}\\w*\\w*\\w*`,
  ])("refuses a pattern that a claim can make run for long: %s", (pattern) => {
    expect(parseClaimPattern(pattern)).toEqual({
      issues: [{ path: "", message: expect.stringContaining("use at most two open-ended") }],
    });
  });

  it("accepts patterns of at most 1024 characters", () => {
    expect(accepted("x".repeat(1024)).test("x".repeat(1024))).toBe(true);
    expect(accepted(`${"(".repeat(511)}x${")".repeat(511)}`).test("x")).toBe(true);
    expect(parseClaimPattern("x".repeat(1025))).toEqual({
      issues: [{ path: "", message: "must have at most 1024 characters" }],
    });
  });

  it("matches the slowest patterns it accepts within the time of a test, whatever the claim", () => {
    for (const pattern of [
      "\\w*\\w*x",
      "(\\w*)(\\w*?)[ab]{55}x",
      "(?:\\w+\\.?){2}x",
      "(a?){20}x",
      "(?:a|a){20}x",
      "(?:a|\\w){14}a{900}x",
    ]) {
      for (const claim of ["a".repeat(1024), `${"a".repeat(1023)}!`, "ab".repeat(512)]) {
        expect(accepted(pattern).test(claim)).toBe(false);
      }
    }
  });
});

describe("the characters compared for a pattern", () => {
  it.each<[string, number]>([
    ["abc", 3],
    ["a|bc", 3],
    ["[abc]\\d.", 3],
    ["(abc)", 4],
    ["a*", 1024],
    ["a*b", 1024 + 1025],
    ["a+b", 1024 + 1024],
    ["a?b", 1 + 2],
    ["a{2,4}b", 4 + 3],
    ["a{2000}", 2000],
    ["(?:a|b)c", 3 + 2],
    ["(?:a|b){2}c", 3 + 6 + 4],
    ["(?:a|b){0,1}c", 3 + 3],
  ])("counts the characters compared in all ways to match a pattern: %s", (pattern, comparisons) => {
    expect(maxComparisons(pattern)).toBe(comparisons);
  });
});
