import { createPrivateKey } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { deriveCacheSecrets, entryName } from "../../../src/adapters/cache/sealing.ts";
import { importPrivateKey, type PrivateKey } from "../../../src/adapters/coze/private-key.ts";
import type { Parsed } from "../../../src/core/issue.ts";
import { createTestKey, type TestKey } from "../../support/keys.ts";
import { parsedValue } from "../../support/parsed-value.ts";

/** One way to paste a key. */
type Paste = {
  readonly format: "pkcs8" | "pkcs1";
  /** The label of its lines BEGIN and END; `undefined` for the base64 body alone. */
  readonly label: string | undefined;
  readonly lineLength: number;
  /** What stands for line breaks, in turn. */
  readonly breaks: readonly string[];
  /** What stands around it, from the inside out. */
  readonly wrappings: readonly (readonly [before: string, after: string])[];
};

/** One accident on the way; places are parts of the length. */
type Damage =
  | { readonly kind: "change"; readonly place: number; readonly length: number; readonly text: string }
  | { readonly kind: "swap"; readonly place: number; readonly other: number }
  | { readonly kind: "cut"; readonly place: number; readonly keeps: "beginning" | "end" }
  | { readonly kind: "relabel"; readonly line: "BEGIN" | "END"; readonly label: string };

const BREAKS = ["\n", "\r\n", "\r", "\\n", "\\r\\n", "\\\\n", "\\n\n", " ", "\t", "\n\n", "\n    ", ""];
const WRAPPINGS = [
  ['"', '"'],
  ["'", "'"],
  ["`", "`"],
  ['\\"', '\\"'],
  [" ", " "],
  ["\t", "\r\n"],
  ["\\n", "\\n"],
  ["\ufeff", ""],
  ["\u00a0", "\u00a0"],
] as const;
const OTHER_LABELS = [
  "PUBLIC KEY",
  "EC PRIVATE KEY",
  "ENCRYPTED PRIVATE KEY",
  "CERTIFICATE",
  "OPENSSH PRIVATE KEY",
  "KEY",
];
const LABELS = ["PRIVATE KEY", "RSA PRIVATE KEY"];

const paste: fc.Arbitrary<Paste> = fc.record({
  format: fc.constantFrom("pkcs8", "pkcs1"),
  label: fc.constantFrom(...LABELS, undefined),
  lineLength: fc.constantFrom(64, 76, 5000, 7),
  breaks: fc.oneof(
    fc.constantFrom(...BREAKS).map((only) => [only]),
    fc.array(fc.constantFrom(...BREAKS), { minLength: 2 }),
  ),
  wrappings: fc.array(fc.constantFrom(...WRAPPINGS), { maxLength: 3 }),
});
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const text = fc.oneof(
  fc.constantFrom(
    "",
    "A",
    "n",
    "=",
    "-",
    "\\",
    "\\u",
    '"',
    "用",
    "\0",
    "-----",
    "-----BEGIN ",
    "Proc-Type: 4,ENCRYPTED",
  ),
  fc.string(),
  fc.base64String(),
);
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant("change" as const), place, length: fc.constantFrom(0, 1, 1, 2, 64), text }),
  fc.record({ kind: fc.constant("swap" as const), place, other: place }),
  fc.record({ kind: fc.constant("cut" as const), place, keeps: fc.constantFrom("beginning", "end") }),
  fc.record({
    kind: fc.constant("relabel" as const),
    line: fc.constantFrom("BEGIN", "END"),
    label: fc.constantFrom(...LABELS, ...OTHER_LABELS),
  }),
);

let key: TestKey;
let ders: Readonly<Record<Paste["format"], Buffer>>;
let secret: string;

beforeAll(async () => {
  key = await createTestKey();
  const derIn = (type: Paste["format"]) =>
    Buffer.from(createPrivateKey(key.privatePem).export({ format: "der", type }));
  ders = { pkcs8: derIn("pkcs8"), pkcs1: derIn("pkcs1") };
  secret = await secretOf(parsedValue(await importPrivateKey(key.privatePem)));
});

describe("a private key", () => {
  it("imports the same private key in all the ways to paste it, and in any mixture of them", async () => {
    await fc.assert(
      fc.asyncProperty(paste, async (how) => {
        await expectTheSameKey(await importPrivateKey(render(ders[how.format], how)));
      }),
    );
  });

  it("imports the same private key or refuses it by name, whatever happened to its characters", async () => {
    const damages = fc.array(damage, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(paste, damages, async (how, accidents) => {
        await expectTheSameKeyOrRefusal(accidents.reduce(damaged, render(ders[how.format], how)));
      }),
      { numRuns: 500 },
    );
  });

  it("refuses by name a private key with any byte changed", async () => {
    const change = fc.record({ place, mask: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(paste, change, async (how, { place, mask }) => {
        const der = Buffer.from(ders[how.format]);
        const index = Math.floor(place * der.length);
        der.writeUInt8(der.readUInt8(index) ^ mask, index);
        expectRefusal(await importPrivateKey(render(der, how)));
      }),
      { numRuns: 300 },
    );
  });

  it("refuses by name a private key under the label of something else", async () => {
    await fc.assert(
      fc.asyncProperty(paste, fc.constantFrom(...OTHER_LABELS), async (how, label) => {
        expectRefusal(await importPrivateKey(render(ders[how.format], { ...how, label })));
      }),
    );
  });
});

it("refuses by name any other string as a private key", async () => {
  const framed = fc
    .tuple(fc.constantFrom(...LABELS, ...OTHER_LABELS), text)
    .map(([label, body]) => framedBy(label, [body]).join("\n"));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.base64String(), framed), async (pasted) => {
      expectRefusal(await importPrivateKey(pasted));
    }),
    { numRuns: 300 },
  );
});

async function expectTheSameKeyOrRefusal(text: string): Promise<void> {
  const imported = await importPrivateKey(text);
  if ("issues" in imported) expectRefusal(imported);
  else await expectTheSameKey(imported);
}

/** Whether it is the same key, by a signature that the public key confirms and by the secrets derived from it. */
async function expectTheSameKey(imported: Parsed<PrivateKey>): Promise<void> {
  const { signingKey } = parsedValue(imported);
  const message = new TextEncoder().encode("message");
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", signingKey, message);
  expect(await crypto.subtle.verify("RSASSA-PKCS1-v1_5", key.publicKey, signature, message)).toBe(true);
  expect(await secretOf(parsedValue(imported))).toBe(secret);
}

/** A refusal says what is wrong and how to fix it, and quotes nothing of the key. */
function expectRefusal(imported: unknown): void {
  const message = expect.stringMatching(/^(is|holds) .+\. (Use|Paste|Decrypt|Convert|Create) /);
  expect(imported).toEqual({ issues: [{ path: "", message }] });
  for (const word of JSON.stringify(imported).match(/[A-Za-z0-9+/]{20,}/g) ?? [])
    expect(ders.pkcs8.toString("base64")).not.toContain(word);
}

async function secretOf({ derivationKey }: PrivateKey): Promise<string> {
  return entryName(await deriveCacheSecrets(derivationKey), "a cache key");
}

function render(der: Buffer, { label, lineLength, breaks, wrappings }: Paste): string {
  const body = der.toString("base64").match(new RegExp(`.{1,${lineLength}}`, "g")) ?? [];
  const lines = label === undefined ? body : framedBy(label, body);
  const whole = lines.map((line, index) => line + (breaks[index % breaks.length] ?? "")).join("");
  return wrappings.reduce((inner, [before, after]) => before + inner + after, whole);
}

function framedBy(label: string, lines: readonly string[]): string[] {
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`];
}

function damaged(whole: string, accident: Damage): string {
  if (accident.kind === "relabel") {
    return whole.replace(new RegExp(`${accident.line} [A-Z ]+-----`), `${accident.line} ${accident.label}-----`);
  }
  const index = Math.floor(accident.place * whole.length);
  if (accident.kind === "change") return whole.slice(0, index) + accident.text + whole.slice(index + accident.length);
  if (accident.kind === "cut") return accident.keeps === "beginning" ? whole.slice(0, index) : whole.slice(index);

  const characters = [...whole];
  const other = Math.floor(accident.other * characters.length);
  [characters[index], characters[other]] = [characters[other] ?? "", characters[index] ?? ""];
  return characters.join("");
}
