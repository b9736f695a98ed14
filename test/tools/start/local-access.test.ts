import { describe, expect, it } from "vitest";
import { consoleRefusalFor, refusalFor } from "../../../tools/start/local-access.ts";

const URL_HERE = "http://127.0.0.1:8787/";

describe("refusalFor", () => {
  it.each(["127.0.0.1:8787", "localhost:8787", "LOCALHOST", "[::1]:9000", "127.0.0.1"])(
    "accepts the host %s",
    (host) => {
      expect(refusalFor(request({ host }), undefined)).toBeUndefined();
    },
  );

  it.each([
    "evil.example:8787",
    "localhost.evil.example",
    "evil.localhost",
    "127.0.0.1.evil.example",
    "localhost.",
    "192.168.0.7:8787",
    "[::2]",
    "",
    "a b",
  ])("refuses the host %j whatever ALLOWED_ORIGINS says", (host) => {
    expect(refusalFor(request({ host }), undefined)).toMatch(/another name/);
    expect(refusalFor(request({ host }), "*")).toMatch(/another name/);
  });

  it("refuses a request without a Host header", () => {
    expect(refusalFor(new Request(URL_HERE), undefined)).toMatch(/another name/);
  });

  it("refuses a foreign URL even when the Host header is a loopback one", () => {
    expect(refusalFor(request({ url: "http://evil.example:8787/" }), undefined)).toMatch(/another name/);
  });

  it.each([
    "http://127.0.0.1:8787",
    "http://localhost",
    "http://localhost:5173",
    "https://localhost:5173",
    "http://[::1]:3000",
  ])("accepts pages of %s", (origin) => {
    expect(refusalFor(request({ origin }), undefined)).toBeUndefined();
  });

  it.each([
    "https://evil.example",
    "null",
    "",
    "http://localhost.evil.example",
    "http://evil.localhost",
    "http://evil.example@localhost",
    "http://localhost:5173/path",
    "chrome-extension://localhost",
    "file://localhost",
  ])("refuses pages of %j", (origin) => {
    expect(refusalFor(request({ origin }), undefined)).toMatch(/unless ALLOWED_ORIGINS names them/);
  });

  it.each([undefined, "", "  ", []])("treats ALLOWED_ORIGINS = %j as absent", (allowedOrigins) => {
    expect(refusalFor(request({ origin: "https://evil.example" }), allowedOrigins)).toBeDefined();
  });

  it.each(["*", "https://app.example.com"])("leaves every origin to the Worker when ALLOWED_ORIGINS is %s", (value) => {
    expect(refusalFor(request({ origin: "https://evil.example" }), value)).toBeUndefined();
  });
});

describe("consoleRefusalFor", () => {
  const OWN = "http://127.0.0.1:8787";

  it.each([
    { of: "the console", headers: { "Sec-Fetch-Site": "same-origin", Origin: OWN } },
    { of: "the console in a browser without Fetch Metadata", headers: { Origin: OWN } },
  ])("allows the console's paths to $of", ({ headers }) => {
    expect(consoleRefusalFor(new Request(URL_HERE, { headers }))).toBeUndefined();
  });

  it.each([
    { of: "a page of another port", headers: { "Sec-Fetch-Site": "same-site", Origin: "http://127.0.0.1:5173" } },
    { of: "a page of another port that reads without CORS", headers: { "Sec-Fetch-Site": "same-site" } },
    { of: "a page that has made the URL its own", headers: { "Sec-Fetch-Site": "cross-site", Origin: OWN } },
    { of: "a page of another name of this machine", headers: { Origin: "http://localhost:8787" } },
    { of: "a page of a foreign host that has made the URL its own", headers: { Origin: "http://evil.example:8787" } },
    { of: "a sandboxed frame", headers: { Origin: "null" } },
    { of: "a link", headers: { "Sec-Fetch-Site": "none" } },
    { of: "a request without an Origin, as any page can send it", headers: {} },
  ])("refuses the console's paths to $of", ({ headers }) => {
    expect(consoleRefusalFor(new Request(URL_HERE, { headers }))).toMatch(/^Only the console/);
  });

  it("refuses the console's paths to a foreign host that is its own origin", () => {
    const request = new Request("http://evil.example:8787/", { headers: { Origin: "http://evil.example:8787" } });
    expect(consoleRefusalFor(request)).toMatch(/^Only the console/);
  });
});

function request({
  url = URL_HERE,
  host = "127.0.0.1:8787",
  origin,
}: Partial<Record<"url" | "host" | "origin", string>>) {
  return new Request(url, { headers: { Host: host, ...(origin !== undefined && { Origin: origin }) } });
}
