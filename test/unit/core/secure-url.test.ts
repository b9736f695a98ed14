import { describe, expect, it } from "vitest";
import { parseSecureUrl } from "../../../src/core/secure-url.ts";

const EXAMPLE = "https://id.example.com";

describe("parseSecureUrl", () => {
  it.each([
    "https://id.example.com",
    "https://id.example.com:8443/path?query=1#part",
    "http://localhost:8787/",
    "http://127.0.0.1/keys",
    "http://127.1.22.133/keys",
    "http://[::1]:3000/",
  ])("accepts the URL %s", (url) => {
    expect(parseSecureUrl(url, EXAMPLE)).toEqual({ value: new URL(url) });
  });

  it.each<[unknown, string]>([
    ["id.example.com", "such as https://id.example.com"],
    ["", "such as https://id.example.com"],
    [1, "such as https://id.example.com"],
    [undefined, "such as https://id.example.com"],
    ["https://user@id.example.com", "must not contain a user name or password"],
    ["https://:password@id.example.com", "must not contain a user name or password"],
    ["http://id.example.com", "https://"],
    ["http://127.0.0.1.example.com", "https://"],
    ["http://a127.0.0.1.example.com", "https://"],
    ["http://localhost.example.com", "https://"],
    ["http://[::2]/", "https://"],
    ["ftp://localhost/", "https://"],
    ["file:///etc/passwd", "https://"],
  ])("refuses the URL %s", (value, sentence) => {
    expect(parseSecureUrl(value, EXAMPLE)).toEqual({
      issues: [{ path: "", message: expect.stringContaining(sentence) }],
    });
  });
});
