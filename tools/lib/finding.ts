import Table from "cli-table3";
import { KID_LENGTH } from "./kid-length.ts";
import { printable } from "./printable.ts";

/** Columns of the table: the mark and the name of a check; the other two share what is left. */
const MARK_WIDTH = 6;
const NAME_WIDTH = 24;
/** Between the columns and around them. */
const BORDERS_WIDTH = 5;
/** In fewer columns, words would be cut. */
const MIN_TABLE_WIDTH = 59;
/** The blanks on both sides of a cell. */
const CELL_PADDING = 2;
/** Where there is room, so much that a fingerprint stays in one piece; and what that leaves to the advice at least. */
const WIDE_COLUMN = KID_LENGTH + CELL_PADDING;
const MIN_ADVICE_WIDTH = 18;

/**
 * What a finding is about, where a command decides by it: whether a host can be reached, an environment that is open, one
 * that takes addresses over, limits that are not deployed, .gitignore, a key rotation that has begun, or what the deployed
 * Worker will be like.
 */
type Topic = "network" | "environment" | "domain" | "limit" | "gitignore" | "rotation" | "deployment";

/** What one check has found. */
export type Finding = {
  /** What was checked. */
  readonly name: string;
  readonly ok: boolean;
  /** What was found. Names of settings and of keys, never values that are secret. */
  readonly detail: string;
  /** One thing to do; "" if there is nothing. With `ok`, it is advice. */
  readonly hint: string;
  /** What the finding rests on, for those who want to know more. */
  readonly evidence?: string;
  readonly topic?: Topic;
};

/** A check that is passed, with advice or without. */
export function passed(name: string, detail: string, hint = "", evidence?: string): Finding {
  return { name, ok: true, detail, hint, ...(evidence !== undefined && { evidence }) };
}

/** A check that is failed, and the one thing to do about it. */
export function failed(name: string, detail: string, hint: string, evidence?: string): Finding {
  return { name, ok: false, detail, hint, ...(evidence !== undefined && { evidence }) };
}

/** Whether any finding needs fixing. */
export function hasFailed(findings: readonly Finding[]): boolean {
  return findings.some(({ ok }) => !ok);
}

/** The findings as JSON: a list of `{ name, ok, detail, hint }`. */
export function findingsJson(findings: readonly Finding[]): string {
  return JSON.stringify(
    findings.map(({ name, ok, detail, hint }) => ({ name, ok, detail, hint })),
    null,
    2,
  );
}

/** The findings as one table that is `width` columns wide, with their evidence if it is wanted. */
export function findingsTable(findings: readonly Finding[], { width = 100, verbose = false } = {}): string {
  const free = Math.max(MIN_TABLE_WIDTH, width - 1) - MARK_WIDTH - NAME_WIDTH - BORDERS_WIDTH;
  const foundWidth = widthOfFound(free, findings);
  const widths = [MARK_WIDTH, NAME_WIDTH, foundWidth, free - foundWidth];
  const table = new Table({
    head: ["", "check", "found", "what to do"],
    colWidths: widths,
    wordWrap: true,
    wrapOnWordBoundary: true,
    style: { head: [], border: [] },
  });
  for (const { name, ok, detail, hint, evidence } of findings) {
    const found = verbose && evidence !== undefined ? `${detail}\n${evidence}` : detail;
    // Services and Coze have a say in what was found.
    const cells = [mark(ok, hint), name, found, hint].map(printable);
    table.push(cells.map((cell, index) => breakWords(cell, (widths[index] ?? 0) - CELL_PADDING)));
  }
  return table.toString();
}

/** Half of what is free, or more where a word needs it. */
function widthOfFound(free: number, findings: readonly Finding[]): number {
  const words = findings.flatMap(({ detail }) => detail.split(/\s+/));
  const wanted = Math.min(WIDE_COLUMN, Math.max(...words.map(({ length }) => length)) + CELL_PADDING);
  return Math.max(Math.ceil(free / 2), Math.min(wanted, free - MIN_ADVICE_WIDTH));
}

/** The table would cut a fingerprint or a URL that is longer than its column. */
function breakWords(text: string, width: number): string {
  return text.replace(new RegExp(`\\S{${width}}(?=\\S)`, "g"), "$&\n");
}

function mark(ok: boolean, hint: string): string {
  if (!ok) return "FAIL";
  return hint === "" ? "ok" : "note";
}
