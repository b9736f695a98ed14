import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { audienceFor, isOneRegion, parseAudience, parseTokenEndpoint } from "../../../src/config/coze-region.ts";
import { invalid } from "../../../src/core/issue.ts";

const CHINA = "api.coze.cn";
const WORLD = "api.coze.com";

const octet = fc.integer({ min: 0, max: 255 });
const loopback = fc.oneof(
  fc.constantFrom("localhost", "[::1]", "127.0.0.1"),
  fc.tuple(octet, octet, octet).map((octets) => `127.${octets.join(".")}`),
);
const publicHost = fc.constantFrom(
  CHINA,
  WORLD,
  "proxy.example",
  "127.0.0.1.evil.example",
  "127.0.0.1x.example",
  "x127.0.0.1.example",
  "localhost.evil.example",
  "notlocalhost",
  "128.0.0.1",
  "10.127.0.0",
  "[::2]",
);
const port = fc.oneof(
  fc.constant(""),
  fc.integer({ min: 1, max: 65_535 }).map((number) => `:${number}`),
);
const path = fc.constantFrom("", "/", "/api/permission/oauth2/token", "/t?a=b");
const rest = fc.tuple(port, path).map((parts) => parts.join(""));

describe("a token endpoint", () => {
  it("accepts as TOKEN_ENDPOINT any https URL, and http only on loopback", () => {
    fc.assert(
      fc.property(fc.oneof(loopback, publicHost), rest, (host, tail) => {
        expect(parseTokenEndpoint(`https://${host}${tail}`)).toEqual({ value: new URL(`https://${host}${tail}`) });
      }),
    );
    fc.assert(
      fc.property(loopback, rest, (host, tail) => {
        expect(parseTokenEndpoint(`http://${host}${tail}`)).toEqual({ value: new URL(`http://${host}${tail}`) });
      }),
    );
    fc.assert(
      fc.property(publicHost, rest, (host, tail) => {
        expect(parseTokenEndpoint(`http://${host}${tail}`)).toEqual(
          invalid("must begin with https:// (http:// is for loopback addresses only)"),
        );
      }),
    );
  });

  it("refuses a TOKEN_ENDPOINT of any other scheme", () => {
    fc.assert(
      fc.property(fc.constantFrom("ftp", "ws", "wss", "file", "httpss", "xhttps"), loopback, (scheme, host) => {
        expect(parseTokenEndpoint(`${scheme}://${host}/`)).toEqual(invalid(expect.stringMatching(/^must begin with/)));
      }),
    );
  });

  it("refuses a TOKEN_ENDPOINT with a user name or a password", () => {
    fc.assert(
      fc.property(fc.constantFrom("user@", ":password@", "user:password@"), loopback, rest, (user, host, tail) => {
        expect(parseTokenEndpoint(`https://${user}${host}${tail}`)).toEqual(
          invalid("must not contain a user name or password"),
        );
      }),
    );
  });

  it("accepts as TOKEN_ENDPOINT only a complete URL, and defaults to that of coze.cn", () => {
    const noAddress = fc.oneof(fc.anything(), fc.string(), fc.constantFrom(CHINA, "//api.coze.cn/t", "https://", null));
    fc.assert(
      fc.property(noAddress, (value) => {
        fc.pre(value !== undefined && !(typeof value === "string" && URL.canParse(value)));
        expect(parseTokenEndpoint(value)).toEqual(
          invalid(expect.stringMatching(/^must be a complete URL such as https:/)),
        );
      }),
      { examples: [[["https://api.coze.cn/t"]], [new URL("https://api.coze.cn/t")]] },
    );
    expect(parseTokenEndpoint(undefined)).toEqual({
      value: new URL("https://api.coze.cn/api/permission/oauth2/token"),
    });
  });
});

describe("an audience", () => {
  it("accepts as AUDIENCE any host, with or without a port, unchanged", () => {
    const ownPort = fc.constantFrom("", ":8443");
    fc.assert(
      fc.property(fc.oneof(loopback, publicHost), ownPort, (host, ending) => {
        expect(parseAudience(host + ending)).toEqual({ value: host + ending });
      }),
    );
  });

  it("refuses as AUDIENCE anything but a host: no URL, no path, no user", () => {
    const bend = fc.constantFrom<((host: string) => unknown)[]>(
      (host) => `https://${host}`,
      (host) => `${host}/`,
      (host) => `u@${host}`,
      (host) => `${host}?`,
      (host) => `${host}#`,
      (host) => ` ${host}`,
      (host) => `${host}:443`,
      (host) => `A${host}`,
      (host) => `a b.${host}`,
      (host) => [host],
      (host) => ({ host }),
      () => null,
      () => "",
    );
    fc.assert(
      fc.property(publicHost, bend, (host, bent) => {
        expect(parseAudience(bent(host))).toEqual(invalid(expect.stringMatching(/^must be a host name such as /)));
      }),
    );
  });
});

describe("the region", () => {
  const host = fc.oneof(fc.constantFrom(CHINA, WORLD), publicHost, loopback);
  const endpoint = fc.tuple(host, path).map(([name, tail]) => new URL(`https://${name}${tail}`));

  it("derives the audience that goes with a token endpoint", () => {
    fc.assert(
      fc.property(endpoint, (address) => {
        expect(audienceFor(address)).toBe(address.host === WORLD ? WORLD : CHINA);
        expect(isOneRegion(audienceFor(address), address)).toBe(true);
      }),
    );
  });

  it("refuses a region exactly when audience and endpoint are different hosts of Coze", () => {
    fc.assert(
      fc.property(fc.option(host, { nil: undefined }), endpoint, (audience, address) => {
        const isMixed = [CHINA, WORLD].sort().join() === [audience, address.host].sort().join();
        expect(isOneRegion(audience, address)).toBe(!isMixed);
      }),
      { numRuns: 300 },
    );
  });
});

it("never throws for a token endpoint or an audience, and never quotes it", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything(),
        fc.string().map((text) => `hunter2${text}`),
        fc.constant("https://hunter2:x@a.example"),
      ),
      (value) => {
        for (const outcome of [parseTokenEndpoint(value), parseAudience(value)]) {
          if ("issues" in outcome) expect(JSON.stringify(outcome.issues)).not.toContain("hunter2");
        }
      },
    ),
    // A table of this kind can stand in wrangler.toml, and cannot be made a text.
    { examples: [[{ toString: "hunter2" }]] },
  );
});
