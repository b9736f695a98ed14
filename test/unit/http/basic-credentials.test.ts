import { describe, expect, it } from "vitest";
import { isBasic, parseBasicCredentials } from "../../../src/http/basic-credentials.ts";

const basic = (userPass: string) => `Basic ${Buffer.from(userPass).toString("base64")}`;

describe("parseBasicCredentials", () => {
  it.each([
    ["a name and a key", basic("script:ctw_a-b_c"), "script", "ctw_a-b_c"],
    ["another case of the scheme", basic("script:key").replace("Basic", "bAsIc"), "script", "key"],
    ["several spaces after the scheme", basic("script:key").replace(" ", "   "), "script", "key"],
    ["colons in the key", basic("script:a:b:"), "script", "a:b:"],
    ["percent-encoding in both", basic("night%2Dly:ctw%5Fa%3A%25%2B"), "night-ly", "ctw_a:%+"],
    ["plus signs for spaces", basic("a+b:c+d"), "a b", "c d"],
    ["UTF-8, percent-encoded or not", basic("caf%C3%A9:clé"), "café", "clé"],
    ["an empty name and key", basic(":"), "", ""],
  ])("parses HTTP Basic credentials: %s", (_what, authorization, clientId, clientSecret) => {
    expect(parseBasicCredentials(authorization)).toEqual({ clientId, clientSecret });
  });

  it.each([
    ["nothing after the scheme", "Basic"],
    ["no colon", basic("secret")],
    ["no base64", "Basic secret!"],
    ["two headers", `${basic("script:secret")}, ${basic("other:secret")}`],
    ["bytes that are not UTF-8", `Basic ${btoa("script:secret\xff")}`],
    ["broken percent-encoding", basic("script:secret%zz")],
    ["percent-encoding that is not UTF-8", basic("script:secret%ff")],
  ])("refuses HTTP Basic with %s, and quotes nothing of it", (_what, authorization) => {
    expect(() => parseBasicCredentials(authorization)).toThrow(
      expect.objectContaining({ code: "invalid_client", message: expect.not.stringContaining("secret"), details: {} }),
    );
  });
});

describe("isBasic", () => {
  it.each([
    [null, false],
    ["", false],
    ["Basically a key", false],
    ["Bearer Basic", false],
    ["BASIC", true],
    ["Basic eA==", true],
  ])("detects HTTP Basic in an Authorization header: %s", (authorization, expected) => {
    expect(isBasic(authorization)).toBe(expected);
  });
});
