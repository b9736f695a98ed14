import Table from "cli-table3";
import { type Figures, isMet, type Outcome } from "./row.ts";

const SIGNS = { "at least": "≥", "at most": "≤", exactly: "=" } as const;

/** Sets the outcomes out as a table for a terminal. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const table = new Table({
    head: ["row", "what", "Worker", "baseline", "median (spread)", "budget", "met"],
    colWidths: [null, 48],
    colAligns: ["left", "left", "right", "right", "right", "right", "left"],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  table.push(...outcomes.map(cellsOf));
  return table.toString();
}

function cellsOf(outcome: Outcome): string[] {
  const { row, measurement } = outcome;
  const { rule, limit, unit } = row.budget;
  return [
    row.name,
    row.what,
    figuresText(measurement.ours),
    figuresText(measurement.baseline),
    withUnit(valueText(outcome), unit),
    withUnit(`${SIGNS[rule]} ${limit}`, unit),
    isMet(outcome) ? "yes" : "NO",
  ];
}

/** The median, and where there are several values, how far they lie apart: `0.82 (0.80 to 0.85)`. */
export function valueText({ measurement: { value } }: Outcome): string {
  const { median, min, max } = value;
  return min === max ? rounded(median) : `${rounded(median)} (${rounded(min)} to ${rounded(max)})`;
}

function figuresText(figures: Figures | undefined): string {
  if (figures === undefined) return "";
  return `${Math.round(figures.cpuMicroseconds)} µs CPU\n${Math.round(figures.requestsPerSecond)}/s`;
}

function withUnit(text: string, unit: string | undefined): string {
  return unit === undefined ? text : `${text} ${unit}`;
}

/** Three digits say all that repeats. */
function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}
