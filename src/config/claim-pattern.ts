import { MAX_MATCHED_CLAIM_LENGTH } from "../core/auth/claims.ts";
import { invalid, type Parsed } from "../core/issue.ts";

/** Patterns are short; a longer one would take long to compile, and could nest groups deeper than the stack allows. */
const MAX_PATTERN_LENGTH = 1024;

/**
 * The most characters that may be compared for one claim. It leaves room for two open-ended repeats, one after the
 * other, and some 60 characters after them: milliseconds as a rule, tenths of a second at the very worst.
 */
const MAX_COMPARISONS = 2 ** 26;

/** Strings that have nothing in common: a pattern that matches both has nothing to say about a claim. */
const PATTERN_PROBES = ["q7Zk3", "\u0416 9/_-~@x:y.z!"];

/** The tokens of a regular expression that compiles with the flag `u`. */
const TOKENS = /\\(?:[pPu]\{[^}]*\}|.)|\[(?:\\.|[^\]\\])*\]|\(\?.|(?:[*+?]|\{[\d,]+\})\??|./gsu;

/** Lookaround, named groups and flags; backreferences. */
const UNSUPPORTED_TOKEN = /^(?:\(\?[^:]|\\[1-9k])/u;

/** What a backtracking matcher can do with a part of a pattern, from one position in the claim. */
type MatchCost = {
  /** In how many ways the part can match. */
  readonly ways: number;
  /** How many characters are compared until all of them have been tried. */
  readonly comparisons: number;
};

const NOTHING: MatchCost = { ways: 1, comparisons: 0 };
const CHARACTER: MatchCost = { ways: 1, comparisons: 1 };

/**
 * Parses a regular expression that has to match the whole of a claim (flags `s` and `u`). It may have literals, escapes,
 * classes, `.`, `^`, `$`, groups, alternatives and repeats, as long as no claim can make it run for long.
 */
export function parseClaimPattern(pattern: string): Parsed<RegExp> {
  if (pattern.length > MAX_PATTERN_LENGTH) return invalid(`must have at most ${MAX_PATTERN_LENGTH} characters`);
  // By itself first: within the group below, `a)|(?:b` would compile, and match beyond the anchors.
  if (!isRegularExpression(pattern)) return invalid("is not a regular expression");

  const comparisons = maxComparisons(pattern);
  if (comparisons === undefined) {
    return invalid("must do without lookaround, backreferences, named groups and flags");
  }
  const isQuick = comparisons <= MAX_COMPARISONS; // which NaN is not: {n} with a number beyond all numbers
  if (!isQuick) {
    return invalid(
      "can take too long to match: use at most two open-ended repeats (* + {n,}), with a short ending after them, " +
        "and none around a group that has a choice in it",
    );
  }

  const wholeClaim = new RegExp(`^(?:${pattern})$`, "su");
  if (PATTERN_PROBES.every((probe) => wholeClaim.test(probe))) {
    return invalid("matches everything: leave the claim out, or say what it must be");
  }
  return { value: wholeClaim };
}

/**
 * Tells how many characters are compared at most when a claim is matched with a regular expression; `undefined` for one
 * with lookaround, a backreference, a named group or a flag. Counts every group as one character more.
 */
export function maxComparisons(pattern: string): number | undefined {
  const tokens = Array.from(pattern.matchAll(TOKENS), ([token]) => token);
  return tokens.some((token) => UNSUPPORTED_TOKEN.test(token)) ? undefined : costFor(tokens.values()).comparisons;
}

function isRegularExpression(pattern: string): boolean {
  try {
    return new RegExp(pattern, "su") instanceof RegExp;
  } catch {
    return false;
  }
}

/** The timings of all alternatives up to the end of the group, or of the pattern. */
function costFor(tokens: Iterator<string, undefined>): MatchCost {
  let alternatives: MatchCost = { ways: 0, comparisons: 0 };
  let sequence = NOTHING;
  /** Stays apart until the next token, which may repeat it. */
  let last = NOTHING;
  for (let token = tokens.next().value; token !== undefined && token !== ")"; token = tokens.next().value) {
    if (/^[*+?{]/.test(token)) {
      last = repeat(last, token);
      continue;
    }
    sequence = inSequence(sequence, last);
    last = token.startsWith("(") ? inSequence(CHARACTER, costFor(tokens)) : CHARACTER;
    if (token === "|") {
      alternatives = either(alternatives, sequence);
      sequence = NOTHING;
      last = NOTHING;
    }
  }
  return either(alternatives, inSequence(sequence, last));
}

function either(one: MatchCost, other: MatchCost): MatchCost {
  return { ways: one.ways + other.ways, comparisons: one.comparisons + other.comparisons };
}

/** The second part is tried anew after each way in which the first one can match. */
function inSequence(first: MatchCost, second: MatchCost): MatchCost {
  return { ways: first.ways * second.ways, comparisons: first.comparisons + first.ways * second.comparisons };
}

/** Each round is tried anew after each way in which the rounds before it can match. */
function repeat({ ways, comparisons }: MatchCost, quantifier: string): MatchCost {
  const [min, max] = roundsFor(quantifier);
  const rounds = Math.max(min, Math.min(max, MAX_MATCHED_CLAIM_LENGTH));
  if (ways === 1) return { ways: rounds - min + 1, comparisons: rounds * comparisons };

  let total: MatchCost = { ways: 0, comparisons: 0 };
  let waysSoFar = 1;
  // Too many are enough to know: a choice doubles them with each round.
  for (let round = 0; round <= rounds && total.comparisons <= MAX_COMPARISONS; round += 1) {
    total = {
      ways: total.ways + (round < min ? 0 : waysSoFar),
      comparisons: total.comparisons + (round < rounds ? waysSoFar * comparisons : 0),
    };
    waysSoFar *= ways;
  }
  return total;
}

function roundsFor(quantifier: string): readonly [min: number, max: number] {
  if (quantifier.startsWith("?")) return [0, 1];
  if (!quantifier.startsWith("{")) return [quantifier.startsWith("+") ? 1 : 0, Number.POSITIVE_INFINITY];
  const [min = "", max = min] = quantifier.slice(1, quantifier.indexOf("}")).split(",");
  return [Number(min), max === "" ? Number.POSITIVE_INFINITY : Number(max)];
}
