import fc from "fast-check";
import { ABSENT, characters, type Fit, lineBytes, lines, mostly, type Part, word } from "./part.ts";
import { API_KEY } from "./variant.ts";

const MAX_USER_ID_LENGTH = 128;

const visible = characters(0x21, 0x7e);

/** Methods, and targets: parts of the first line. */
export type Piece = { readonly fit: Fit; readonly text: string };

const piece = (fit: Fit, ...strings: readonly string[]) => fc.constantFrom(...strings).map((text) => ({ fit, text }));

/** Without CONNECT: workerd responds to it with a 500 of its own when a Worker has no handler for connections. */
export const method: fc.Arbitrary<Piece> = mostly(
  piece("right", "POST"),
  piece("wrong", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE", "SEARCH"),
  piece("wrong", "post", "Post", "BREW", "P OST", "", "X".repeat(300), "POST\0", "POST\t", "PO\xffST"),
);

export const target: fc.Arbitrary<Piece> = mostly(
  piece("right", "/", "/?", "/?x=1", "/?%00", `/?${"q=1&".repeat(1000)}`),
  piece("wrong", "/health", "/health/", "/health?x", "//health"),
  piece(
    "wrong",
    "//",
    "///",
    "//evil.example/",
    "/%2f",
    "/%00",
    "/a%0d%0ab",
    "/%ff%zz",
    "/\u00ff",
    "/..%2f..%2fetc/passwd",
  ),
  piece(
    "wrong",
    `/${"a/".repeat(2000)}`,
    `/${"y".repeat(60_000)}`,
    `/${"z".repeat(100_000)}`,
    "*",
    "/\0",
    "/a b",
    "\\",
  ),
  piece(
    "either",
    "/.",
    "/..",
    "/a/..",
    "/%2e",
    "/#x",
    "",
    "?x",
    "foo",
    "http://other.example/",
    "http://[/",
    "HTTP://X/",
  ),
  lineBytes.map((text) => ({ fit: "either", text: `/${text}` })),
);

/** What the paths of the service, and paths that somebody might expect, are asked with. */
export const otherPlace: fc.Arbitrary<readonly [Piece, Piece]> = fc.tuple(
  piece("wrong", "GET", "HEAD", "OPTIONS", "POST", "PUT"),
  piece("wrong", "/health", "/health?x", "/health/", "/oauth2/token", "/index.html", "/favicon.ico", "/robots.txt"),
);

export const version: fc.Arbitrary<Piece> = mostly(
  piece("right", "HTTP/1.1"),
  piece("either", "HTTP/1.0"),
  piece("wrong", "HTTP/2.0", "HTTP/9.9", "http/1.1", "HTTP/1.1 x", "", "ICY/1.1"),
);

/** `ownHost` is the one under which the Worker is reached. */
export function host(ownHost: string): fc.Arbitrary<Part> {
  return mostly(
    lines("right", `Host: ${ownHost}`, "Host: token.example.com", "Host: localhost:8787"),
    fc.constantFrom<Part>({ fit: "either", lines: [] }, { fit: "either", lines: ["Host: a", "Host: b"] }),
    lines(
      "either",
      "Host:",
      "Host: [",
      "Host: a b",
      "Host: %zz",
      "Host: a:99999",
      "Host: a:b:c",
      "Host: /",
      "Host: \xff",
    ),
    lineBytes.map((text) => ({ fit: "either", lines: [`Host: ${text}`] })),
  );
}

export const userId: fc.Arbitrary<Part> = mostly(
  fc.oneof(
    fc.constant(ABSENT),
    fc
      .string({ unit: visible, minLength: 1, maxLength: MAX_USER_ID_LENGTH })
      .map((id): Part => ({ fit: "right", lines: [`X-User-ID: ${id}`] })),
    lines(
      "right",
      "X-User-ID:ada",
      "x-user-id: a  b",
      "X-USER-ID:  ada \t",
      `X-User-ID: ${"a".repeat(MAX_USER_ID_LENGTH)}`,
    ),
  ),
  lines(
    "wrong",
    "X-User-ID:",
    "X-User-ID: \t ",
    `X-User-ID: ${"a".repeat(MAX_USER_ID_LENGTH + 1)}`,
    `X-User-ID: ${"a".repeat(9000)}`,
  ),
  fc
    .oneof(characters(0x00, 0x1f), characters(0x7f, 0xff))
    .map((character) => ({ fit: "wrong", lines: [`X-User-ID: a${character}b`] })),
  fc.constantFrom<Part>(
    { fit: "either", lines: ["X-User-ID: a", "X-User-ID: b"] },
    { fit: "either", lines: ["X-User-ID: a", "X-User-ID:"] },
    { fit: "either", lines: ["X-User-ID: a", " folded"] },
  ),
);

/** For the variant with a list of origins; for the open one, each of them is right. */
export const origin: fc.Arbitrary<Part> = mostly(
  fc.oneof(
    fc.constant(ABSENT),
    lines(
      "right",
      "Origin: https://app.example.com",
      "Origin: https://a.example.org",
      "Origin: https://a.b.example.org",
    ),
  ),
  lines("wrong", "Origin: null", "Origin: https://evil.example", "Origin: https://app.example.com.evil.example"),
  lines(
    "wrong",
    "Origin: http://app.example.com",
    "Origin: https://app.example.com:8443",
    "Origin: https://example.org",
  ),
  lines(
    "wrong",
    "Origin: https://evil@a.example.org",
    "Origin: https://.example.org",
    "Origin: https://evil.example/.example.org",
  ),
  lines(
    "wrong",
    "Origin: https://evil.example\\.example.org",
    "Origin: https://evil.example#.example.org",
    'Origin: "\\"',
  ),
  lines(
    "wrong",
    "Origin: https://app.example.com/",
    "Origin: https://a.example.org\xff",
    `Origin: https://${"a".repeat(9000)}`,
  ),
  lines("either", "Origin:", "Origin: https://APP.example.com", "Origin: https://a.example.org."),
  fc.constant<Part>({ fit: "wrong", lines: ["Origin: https://app.example.com", "Origin: https://evil.example"] }),
);

/** For the variant with a key; for the open one, each of them is right. */
export const credential: fc.Arbitrary<Part> = mostly(
  lines("right", `Authorization: Bearer ${API_KEY}`, `authorization: bearer   ${API_KEY}`, `Authorization: ${API_KEY}`),
  fc.constant<Part>({ fit: "wrong", lines: [] }),
  lines(
    "wrong",
    "Authorization:",
    "Authorization: Bearer",
    `Authorization: Bearer ${API_KEY}x`,
    `Authorization: Basic ${API_KEY}`,
  ),
  lines(
    "wrong",
    `Authorization: Bearer Bearer ${API_KEY}`,
    `Authorization: Bearer ${API_KEY.toLowerCase()}`,
    `X-API-Key: ${API_KEY}`,
  ),
  lines(
    "wrong",
    "Authorization: Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.",
    "Authorization: Bearer a.b.c",
    "Authorization: \xff\xfe",
  ),
  lines("wrong", `Authorization: Bearer ${"k".repeat(20_000)}`, `Cookie: Authorization=${API_KEY}`),
  fc.constant<Part>({ fit: "wrong", lines: ["Authorization: Bearer x", `Authorization: Bearer ${API_KEY}`] }),
);

export const requestId: fc.Arbitrary<Part> = mostly(
  fc.oneof(
    fc.constant(ABSENT),
    word.map((id): Part => ({ fit: "right", lines: [`X-Request-Id: ${id}`] })),
  ),
  lines(
    "right",
    "X-Request-Id:",
    "X-Request-Id: a b",
    "X-Request-Id: <script>",
    `X-Request-Id: ${"a".repeat(129)}`,
    "X-Request-Id: a;b",
  ),
  lines(
    "right",
    `X-Request-Id: ${"a".repeat(128)}`,
    "X-Request-Id: a\xffb",
    `X-Request-Id: ${"a".repeat(9000)}`,
    "X-Request-Id: ==__--",
  ),
  fc.constant<Part>({ fit: "right", lines: ["X-Request-Id: a", "X-Request-Id: b"] }),
);

/** What caches and clients say that has no bearing on a token, and what no HTTP server should take. */
export const extra: fc.Arbitrary<Part> = mostly(
  fc.constant(ABSENT),
  lines(
    "right",
    "If-None-Match: *",
    'If-Match: "x"',
    "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
    "If-Range: x",
  ),
  lines(
    "right",
    "Range: bytes=0-1",
    "Range: bytes=-1,2-",
    "Accept: image/png",
    "Accept-Encoding: identity;q=0, *;q=0",
    "TE: trailers",
  ),
  lines(
    "right",
    "X-HTTP-Method-Override: GET",
    "X-Forwarded-For: 1.2.3.4",
    "Cookie: a=b",
    "Forwarded: host=evil",
    "Pragma: x",
  ),
  lines("right", "Expect: 100-continue", "Connection: close", "Connection: keep-alive", "Sec-Fetch-Mode: cors"),
  lines(
    "either",
    "Expect: the-worst",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Connection: X-User-ID",
    "HTTP2-Settings: AAAA",
  ),
  lines(
    "either",
    "NoColon",
    ": empty",
    "With Space: x",
    "With\xffByte: x",
    "Tab\t: x",
    " Folded: x",
    "Nul: \0",
    "Cr: a\rb",
  ),
  fc.tuple(word, lineBytes).map(([name, value]) => ({ fit: "either", lines: [`${name}: ${value}`] })),
  fc.constantFrom(9000, 70_000, 200_000).map((length) => ({ fit: "either", lines: [`X-Huge: ${"h".repeat(length)}`] })),
  fc.constantFrom(50, 500, 5000).map((count) => ({ fit: "either", lines: Array<string>(count).fill("X-Many: m") })),
);
