import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AllowedOrigins,
  isAllowedOrigin,
  parseAllowedOrigins,
  shareOrigin,
} from "../../../../src/core/auth/origins.ts";
import { parsedValue } from "../../../support/parsed-value.ts";

type Entry = { readonly scheme: string; readonly isWildcard: boolean; readonly host: string; readonly port: string };

/** An entry as somebody may have typed it. */
type Spelling = {
  readonly blank: string;
  readonly slash: string;
  readonly isUpper: boolean;
  readonly namesPort: boolean;
};

const OWN = "https://own.example.com";
const HOSTS = [
  "example.com",
  "app.example.com",
  "b-1.app.example.com",
  "ample.com",
  "com.example",
  "example.com.evil.com",
];

const scheme = fc.constantFrom("https", "http");
const host = fc.constantFrom(...HOSTS);
const port = fc.constantFrom("", "", ":8443", ":44");
const entry: fc.Arbitrary<Entry> = fc.record({ scheme, isWildcard: fc.boolean(), host, port });
const entries = fc.array(entry, { minLength: 1, maxLength: 3 });
const spelling: fc.Arbitrary<Spelling> = fc.record({
  blank: fc.constantFrom("", " ", "\t "),
  slash: fc.constantFrom("", "/"),
  isUpper: fc.boolean(),
  namesPort: fc.boolean(),
});

/** What browsers send, and what nobody but an attacker would. */
const origin = fc.oneof(
  fc
    .tuple(scheme, fc.constant("://"), fc.constantFrom("", "a.", "x_y.bc.", "."), host, port)
    .map((parts) => parts.join("")),
  fc
    .array(
      fc.constantFrom(
        "https://",
        "http://",
        "a",
        "A",
        ".",
        "example.com",
        "evil.com",
        ":8443",
        ":",
        "/",
        "@",
        "*",
        "\n",
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join("")),
  fc.constantFrom("null", "", "*", OWN, `${OWN}:8443`, "https://own.example.com.evil.com"),
);

describe("an origin", () => {
  it("allows exactly origins that are listed, match a wildcard by scheme and port, or are the Worker's own", () => {
    fc.assert(
      fc.property(entries, origin, (listed, candidate) => {
        const isExpected = candidate === OWN || listed.some((each) => covers(each, candidate));
        expect(isAllowedOrigin(candidate, OWN, rulesOf(listed.map(textOf).join(",")))).toBe(isExpected);
      }),
      { numRuns: 2000 },
    );
  });

  it("treats an origin alike however the list of origins is spelled", () => {
    const spelled = fc.array(fc.tuple(entry, spelling), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(spelled, (listed) => {
        const plain = listed.map(([each]) => textOf(each)).join(",");
        expect(rulesOf(listed.map(([each, how]) => spell(each, how)).join(","))).toEqual(rulesOf(plain));
      }),
    );
  });
});

describe("a list of origins", () => {
  it("parses any string as a list of origins or as an issue", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), origin), (list) => {
        const parsed = parseAllowedOrigins(list);
        if ("value" in parsed && parsed.value !== "*") expect(parsed.value).toHaveLength(list.split(",").length);
        if ("issues" in parsed) expect(parsed.issues).toHaveLength(1);
      }),
      { numRuns: 500 },
    );
  });
});

describe("two lists of origins", () => {
  it("finds that two lists share an origin exactly when some page is allowed by both", () => {
    fc.assert(
      fc.property(entries, entries, (some, others) => {
        const [a, b] = [rulesOf(some.map(textOf).join(",")), rulesOf(others.map(textOf).join(","))];
        const pages = [...some, ...others].map((each) => textOf(each).replace("*", "page"));
        const isShared = pages.some(
          (page) => isAllowedOrigin(page, undefined, a) && isAllowedOrigin(page, undefined, b),
        );
        expect(shareOrigin(a, b)).toBe(isShared);
        expect(shareOrigin(b, a)).toBe(isShared);
      }),
      { numRuns: 2000 },
    );
  });

  it("finds that two lists share an origin as soon as either allows all", () => {
    fc.assert(
      fc.property(entries, (listed) => {
        const rules = rulesOf(listed.map(textOf).join(","));
        expect([shareOrigin("*", rules), shareOrigin(rules, "*")]).toEqual([true, true]);
      }),
    );
  });
});

function rulesOf(list: string): AllowedOrigins {
  return parsedValue(parseAllowedOrigins(list));
}

/** The rule once more, by way of the URL parser. */
function covers(listed: Entry, candidate: string): boolean {
  if (!listed.isWildcard) return candidate === textOf(listed);
  if (!URL.canParse(candidate) || new URL(candidate).origin !== candidate) return false;

  const { protocol, hostname, port } = new URL(candidate);
  const below = hostname.endsWith(`.${listed.host}`) ? hostname.slice(0, -listed.host.length - 1).split(".") : [];
  const isBelow = below.length > 0 && below.every((label) => /^[\w-]+$/.test(label));
  return isBelow && protocol === `${listed.scheme}:` && port === listed.port.slice(1);
}

function textOf({ scheme, isWildcard, host, port }: Entry): string {
  return `${scheme}://${isWildcard ? "*." : ""}${host}${port}`;
}

function spell(listed: Entry, { blank, slash, isUpper, namesPort }: Spelling): string {
  const defaultPort = listed.scheme === "https" ? ":443" : ":80";
  const text = textOf(listed.port === "" && namesPort ? { ...listed, port: defaultPort } : listed) + slash;
  return blank + (isUpper ? text.toUpperCase() : text) + blank;
}
