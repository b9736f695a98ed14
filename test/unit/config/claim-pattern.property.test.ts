import fc from "fast-check";
import { expect, it } from "vitest";
import { maxComparisons, parseClaimPattern } from "../../../src/config/claim-pattern.ts";

/** A pattern as a tree, apart from the code under test. */
type Node = Character | Combination | Repeat;
type Character = { readonly kind: "character"; readonly source: string; readonly matches: string };
type Combination = { readonly kind: "sequence" | "choice"; readonly parts: readonly Node[] };
type Repeat = {
  readonly kind: "repeat";
  readonly part: Node;
  readonly min: number;
  readonly max: number;
  readonly lazy: boolean;
};

const character = fc.constantFrom<Node[]>(
  { kind: "sequence", parts: [] },
  { kind: "character", source: "a", matches: "a" },
  { kind: "character", source: "b", matches: "b" },
  { kind: "character", source: "\\)", matches: ")" },
  { kind: "character", source: "[a)|]", matches: "a)|" },
  { kind: "character", source: "\\w", matches: "ab" },
  { kind: "character", source: ".", matches: "ab)|" },
);
const { pattern } = fc.letrec<{ pattern: Node; repeat: Node }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    character,
    tie("repeat"),
    fc.record({
      kind: fc.constantFrom("sequence", "choice"),
      parts: fc.array(tie("pattern"), { minLength: 1, maxLength: 3 }),
    }),
  ),
  repeat: fc
    .record({
      part: tie("pattern"),
      bounds: fc.constantFrom([0, 1], [0, 3], [2, 2], [1, 3], [0, Infinity], [1, Infinity], [2, Infinity], [0, 0]),
      lazy: fc.boolean(),
    })
    .map(({ part, bounds: [min = 0, max = 0], lazy }) => ({ kind: "repeat", part, min, max, lazy })),
}));
const claim = fc.string({ unit: fc.constantFrom("a", "a", "b", ")", "|"), maxLength: 12 });

/** Enough to compare; a search that takes longer is given up. */
const MAX_SEARCH = 20_000;

it("matches a pattern with the whole of a claim, or not at all", () => {
  fc.assert(
    fc.property(pattern, claim, (node, given) => {
      const parsed = parseClaimPattern(sourceOf(node));
      fc.pre("value" in parsed);
      const { isMatch, isComplete } = search(node, given);
      fc.pre(isComplete);
      expect(parsed.value.test(given)).toBe(isMatch);
      expect(parsed.value.test(given)).toBe(new RegExp(`(?<![^])(?:${sourceOf(node)})(?![^])`, "su").test(given));
    }),
    { numRuns: 1000 },
  );
});

it("counts for a pattern at least as many characters as a backtracking search compares", () => {
  fc.assert(
    fc.property(pattern, claim, (node, given) => {
      expect(maxComparisons(sourceOf(node))).toBeGreaterThanOrEqual(search(node, given).comparisons);
    }),
    { numRuns: 1000 },
  );
});

function sourceOf(node: Node): string {
  if (node.kind === "character") return node.source;
  if (node.kind === "repeat") {
    const atom = node.part.kind === "character" ? node.part.source : `(${sourceOf(node.part)})`;
    const max = node.max === Infinity ? "" : node.max;
    return `${atom}{${node.min},${max}}${node.lazy ? "?" : ""}`;
  }
  return `(?:${node.parts.map(sourceOf).join(node.kind === "choice" ? "|" : "")})`;
}

/** Tries every way of matching, as a matcher does when none of them leads to the end. */
function search(pattern: Node, text: string) {
  let comparisons = 0;
  let isMatch = false;
  const isComplete = () => comparisons < MAX_SEARCH;

  function tryAll(node: Node, at: number, next: (end: number) => void): void {
    if (!isComplete()) return;
    if (node.kind === "character") {
      comparisons += 1;
      if (at < text.length && node.matches.includes(text.charAt(at))) next(at + 1);
    } else if (node.kind === "repeat") {
      tryRounds(node, 0, at, next);
    } else if (node.kind === "sequence") {
      tryParts(node.parts, at, next);
    } else {
      for (const part of node.parts) tryAll(part, at, next);
    }
  }

  function tryParts([first, ...others]: readonly Node[], at: number, next: (end: number) => void): void {
    if (first === undefined) next(at);
    else tryAll(first, at, (end) => tryParts(others, end, next));
  }

  function tryRounds(node: Repeat, round: number, at: number, next: (end: number) => void): void {
    if (round >= node.min) next(at);
    // A round beyond those required has to get on (ECMAScript, RepeatMatcher).
    const goOn = (end: number) => (end === at && round >= node.min) || tryRounds(node, round + 1, end, next);
    if (round < node.max) tryAll(node.part, at, goOn);
  }

  tryAll(pattern, 0, (end) => {
    isMatch ||= end === text.length;
  });
  return { isMatch, comparisons, isComplete: isComplete() };
}
