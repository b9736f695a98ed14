import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { ABSENT, anyBytes, type Fit, lines, mostly, type Part, word, worstFit } from "./part.ts";

/** A body, the lines of the head that belong to it, and how it goes over the wire. */
export type BodyPart = Part & {
  readonly payload: string;
  /** Whether less arrives than the head has announced. */
  readonly isUnfinished: boolean;
};

type Content = { readonly fit: Fit; readonly bytes: string };

const MAX_BODY_BYTES = 16 * 1024;
const MAX_DURATION_SECONDS = 900;

const SCOPE = {
  account_permission: { permission_list: ["Connector.botChat"] },
  attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["7379462189365198898"] } },
};

const content = (fit: Fit, ...strings: readonly string[]) =>
  fc.constantFrom(...strings).map((bytes) => ({ fit, bytes }));

const rightProperties = fc.record(
  {
    // A token of one second may have ended by the time its response is read.
    duration_seconds: fc.integer({ min: 2, max: MAX_DURATION_SECONDS }),
    rejected_token: word,
    scope: fc.constantFrom(SCOPE, { account_permission: SCOPE.account_permission }),
  },
  { requiredKeys: [] },
);

const paddedTo = (size: number) => `{}${" ".repeat(size - 2)}`;
const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);
const utf16 = (text: string) => Buffer.from(text, "utf16le").toString("latin1");

const rightJson: fc.Arbitrary<Content> = fc.oneof(
  rightProperties.map((properties): Content => ({ fit: "right", bytes: JSON.stringify(properties) })),
  content(
    "right",
    " {} ",
    '{"duration_seconds":9e2}',
    '{"duration_seconds":9,"duration_seconds":8}',
    '{"rejected_token":"\\u0000"}',
  ),
  content(
    "right",
    paddedTo(MAX_BODY_BYTES),
    paddedTo(MAX_BODY_BYTES - 1),
    `{"rejected_token":"${"x".repeat(16_000)}"}`,
  ),
);

const tooLarge: fc.Arbitrary<Content> = content(
  "wrong",
  paddedTo(MAX_BODY_BYTES + 1),
  paddedTo(20_000),
  "x".repeat(60_000),
);

const wrongJson: fc.Arbitrary<Content> = fc.oneof(
  content(
    "wrong",
    "null",
    "[]",
    "[{}]",
    "1",
    "true",
    '"{}"',
    " ",
    "\n",
    "NaN",
    "{'a':1}",
    "{}{}",
    "{},",
    "// {}",
    "{",
    '{"a":',
  ),
  content(
    "wrong",
    '{"duration_seconds":0}',
    '{"duration_seconds":-1}',
    '{"duration_seconds":-0}',
    '{"duration_seconds":1.5}',
  ),
  content(
    "wrong",
    '{"duration_seconds":901}',
    '{"duration_seconds":1e308}',
    '{"duration_seconds":1e999}',
    '{"duration_seconds":"9"}',
  ),
  content(
    "wrong",
    '{"duration_seconds":9007199254740993}',
    '{"duration_seconds":null}',
    '{"duration_seconds":[900]}',
    '{"duration_seconds":NaN}',
  ),
  content(
    "wrong",
    '{"__proto__":{}}',
    '{"__proto__":{"duration_seconds":9}}',
    '{"constructor":1}',
    '{"toString":1}',
    '{"":1}',
    '{"a\\"\\\\":1}',
  ),
  content(
    "wrong",
    '{"rejected_token":""}',
    '{"rejected_token":7}',
    '{"scope":null}',
    '{"scope":{}}',
    '{"scope":[]}',
    '{"scope":"all"}',
  ),
  content(
    "wrong",
    '{"scope":{"__proto__":{}}}',
    '{"scope":{"constructor":{}}}',
    '{"scope":{"account_permission":{"permission_list":[]}}}',
  ),
  content(
    "wrong",
    '{"scope":{"account_permission":{"permission_list":[""]}}}',
    '{"scope":{"":{"":{}}}}',
    '{"scope":{"a.b":{"c":1}}}',
  ),
  content(
    "wrong",
    deep("[", "]", 8000),
    deep('{"a":', "}", 2000),
    `{"scope":${deep('{"account_permission":', "}", 600)}}`,
    "[".repeat(16_000),
  ),
  content(
    "wrong",
    utf16("{}"),
    `\xff\xfe${utf16("{}")}`,
    "\xff{}",
    '{"rejected_token":"\xe9"}',
    '{"rejected_token":"\xed\xa0\x80"}',
  ),
  content(
    "wrong",
    gzipSync("{}").toString("latin1"),
    gzipSync("x".repeat(1_000_000)).toString("latin1"),
    "\0".repeat(100),
  ),
  content("either", "\xef\xbb\xbf{}"),
  anyBytes
    .filter((bytes) => bytes !== "")
    .map((bytes): Content => ({ fit: isJson(bytes) ? "either" : "wrong", bytes })),
);

const json: fc.Arbitrary<Content> = fc.oneof({ weight: 6, arbitrary: rightJson }, tooLarge, {
  weight: 3,
  arbitrary: wrongJson,
});

const contentType: fc.Arbitrary<Part> = mostly(
  lines(
    "right",
    "Content-Type: application/json",
    "content-type: APPLICATION/JSON;charset=utf-8",
    "Content-Type:application/json ; x",
  ),
  fc.constant<Part>({ fit: "wrong", lines: [] }),
  lines(
    "wrong",
    "Content-Type:",
    "Content-Type: text/plain",
    "Content-Type: application/jsonp",
    "Content-Type: application/json, x",
  ),
  lines(
    "wrong",
    "Content-Type: multipart/form-data; boundary=x",
    "Content-Type: application/x-www-form-urlencoded",
    "Content-Type: \xff",
  ),
  fc.constant<Part>({ fit: "either", lines: ["Content-Type: application/json", "Content-Type: text/plain"] }),
);

const contentEncoding: fc.Arbitrary<Part> = mostly(
  fc.constant(ABSENT),
  lines(
    "either",
    "Content-Encoding: gzip",
    "Content-Encoding: br",
    "Content-Encoding: \xff",
    "Content-MD5: x",
    "Trailer: X-User-ID",
  ),
);

/** A way to send bytes: what the head says of them, and what follows it. */
type Framing = {
  /** Of the framing itself; `undefined` where what arrives is not what was to be sent, so that its fit tells nothing. */
  readonly fit: Fit | undefined;
  readonly lines: (length: number) => readonly string[];
  readonly payload: (bytes: string) => string;
  readonly isUnfinished?: boolean;
};

const CHUNKED = ["Transfer-Encoding: chunked"];
const contentLength = (length: number) => [`Content-Length: ${length}`];
const itself = (bytes: string) => bytes;
const inChunks = (size: number, end: string) => (bytes: string) => chunked(bytes, size) + end;

const FAITHFUL: readonly Framing[] = [
  { fit: "right", lines: contentLength, payload: itself },
  { fit: "right", lines: () => CHUNKED, payload: inChunks(1000, "0\r\n\r\n") },
  { fit: "right", lines: () => ["transfer-encoding: Chunked"], payload: inChunks(70_000, "000\r\n\r\n") },
];

const ODD: readonly Framing[] = [
  { fit: "either", lines: () => CHUNKED, payload: inChunks(1000, "0;x=y\r\nX-User-ID: trailer\r\n\r\n") },
  { fit: "either", lines: () => ["Transfer-Encoding: gzip, chunked"], payload: inChunks(9000, "0\r\n\r\n") },
  { fit: "either", lines: (length) => [...contentLength(length), ...CHUNKED], payload: inChunks(9000, "0\r\n\r\n") },
  { fit: "either", lines: (length) => [...contentLength(length), ...contentLength(length)], payload: itself },
  { fit: "either", lines: (length) => [`Content-Length: +${length}`], payload: itself },
  { fit: undefined, lines: (length) => contentLength(length - 1), payload: itself },
  { fit: undefined, lines: (length) => [...contentLength(length), ...contentLength(0)], payload: itself },
  { fit: undefined, lines: () => [], payload: itself },
  { fit: undefined, lines: () => ["Transfer-Encoding: identity"], payload: itself },
  { fit: undefined, lines: () => ["Content-Length: -1"], payload: itself },
  { fit: undefined, lines: () => ["Content-Length: 0x2"], payload: itself },
];

const BROKEN: readonly Framing[] = [
  { fit: "wrong", lines: (length) => contentLength(length + 1), payload: itself, isUnfinished: true },
  { fit: "wrong", lines: () => contentLength(10_000_000), payload: itself, isUnfinished: true },
  { fit: "wrong", lines: () => ["Content-Length: 99999999999999999999"], payload: itself, isUnfinished: true },
  { fit: "wrong", lines: () => CHUNKED, payload: inChunks(1000, ""), isUnfinished: true },
  { fit: "wrong", lines: () => CHUNKED, payload: inChunks(1000, "zz\r\n"), isUnfinished: true },
  { fit: "wrong", lines: () => CHUNKED, payload: (bytes) => `ffffffffffffffff\r\n${bytes}`, isUnfinished: true },
  { fit: "wrong", lines: () => CHUNKED, payload: (bytes) => chunked(bytes, 1000).slice(0, -3), isUnfinished: true },
];

const framing = mostly(fc.constantFrom(...FAITHFUL), fc.constantFrom(...ODD), fc.constantFrom(...BROKEN));

const NO_BODY: readonly BodyPart[] = [[], ["Content-Length: 0"], ["Content-Type: text/plain"]].map((head) => ({
  fit: "right",
  lines: head,
  payload: "",
  isUnfinished: false,
}));

/** No body, or one of any content, type and framing. */
export const body: fc.Arbitrary<BodyPart> = fc.oneof(
  fc.constantFrom(...NO_BODY),
  fc.tuple(json, contentType, contentEncoding, framing).map(
    ([content, type, encoding, frame]): BodyPart => ({
      fit: frame.fit === undefined ? "either" : worstFit([content.fit, type.fit, encoding.fit, frame.fit]),
      lines: [...type.lines, ...encoding.lines, ...frame.lines(content.bytes.length)],
      payload: frame.payload(content.bytes),
      isUnfinished: frame.isUnfinished ?? false,
    }),
  ),
);

function chunked(bytes: string, size: number): string {
  let chunks = "";
  for (let start = 0; start < bytes.length; start += size) {
    const chunk = bytes.slice(start, start + size);
    chunks += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
  }
  return chunks;
}

function isJson(bytes: string): boolean {
  try {
    JSON.parse(bytes);
    return true;
  } catch {
    return false;
  }
}
