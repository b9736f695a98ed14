import { describe, expect, it } from "vitest";
import { type AllowedOrigins, isAllowedOrigin, parseAllowedOrigins } from "../../../../src/core/auth/origins.ts";
import { parsedValue } from "../../../support/parsed-value.ts";

const OWN = "https://token.example.com";

function rulesOf(list: string): AllowedOrigins {
  return parsedValue(parseAllowedOrigins(list));
}

describe("parseAllowedOrigins", () => {
  it.each([
    "https://app.example.com/path",
    "app.example.com",
    "https://",
    "https://*",
    "https://*.com",
    "https://*.",
    "https://a.*.example.com",
    "https://*example.com",
    "ftp://example.com",
    "null",
    "https://app.example.com?x",
    "https://user@example.com",
    "https://exa mple.com",
    "at https://app.example.com",
    "*,https://app.example.com",
    "https://app.example.com,",
    "https://app.example.com https://b.example.com",
  ])("refuses the list of origins %j by the entry's number, without quoting it", (list) => {
    const parsed = parseAllowedOrigins(list);
    expect(parsed).toEqual({ issues: [{ path: "", message: expect.stringMatching(/entry [12] is neither$/) }] });
  });

  it("names the first entry of a list of origins that is none", () => {
    const issue = { path: "", message: expect.stringMatching(/^must be .*; entry 2 is neither$/) };
    expect(parseAllowedOrigins("https://a.example.com, com, https://b.example.com, *")).toEqual({ issues: [issue] });
  });
});

describe("isAllowedOrigin", () => {
  it.each([
    ["*", "https://anything.example"],
    ["*", "null"],
    ["https://app.example.com", "https://app.example.com"],
    [" https://App.Example.com/ , http://localhost:3000", "https://app.example.com"],
    [" https://app.example.com/ , http://localhost:3000", "http://localhost:3000"],
    ["https://app.example.com:443", "https://app.example.com"],
    ["https://*.example.com", "https://app.example.com"],
    ["https://*.example.com", "https://a.b.example.com"],
    ["https://*.example.com", "https://app.eu-1.example.com"],
    ["https://*.example.com:8443", "https://app.example.com:8443"],
    ["https://app.example.com", OWN],
  ])("allows by the list %j the origin %s", (list, origin) => {
    expect(isAllowedOrigin(origin, OWN, rulesOf(list))).toBe(true);
  });

  it.each([
    ["https://app.example.com", "https://evil.example"],
    ["https://app.example.com", "http://app.example.com"],
    ["https://app.example.com", "https://app.example.com:8443"],
    ["https://app.example.com", "https://app.example.com.evil.example"],
    ["https://app.example.com", "null"],
    ["https://app.example.com", ""],
    ["https://*.example.com", "https://example.com"],
    ["https://*.example.com", "http://app.example.com"],
    ["https://*.example.com", "https://evilexample.com"],
    ["https://*.example.com", "https://.example.com"],
    ["https://*.example.com", "https://evil.example/.example.com"],
    ["https://*.example.com", "https://evil.example:1@a.example.com"],
    ["https://*.example.com", "https://app.example.com.evil.example"],
    ["https://*.example.com", "https://app.example.com:8443"],
  ])("refuses by the list %j the origin %j", (list, origin) => {
    expect(isAllowedOrigin(origin, OWN, rulesOf(list))).toBe(false);
  });

  it("checks an origin by the list alone when the service has no valid host of its own", () => {
    expect(isAllowedOrigin("https://app.example.com", undefined, rulesOf("https://app.example.com"))).toBe(true);
    expect(isAllowedOrigin("undefined", undefined, rulesOf("https://app.example.com"))).toBe(false);
  });
});
