import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import Table from "cli-table3";
import type { Effort } from "./bench.ts";
import { type Figures, isMet, type MeasuredRow } from "./row.ts";

const SIGNS = { "at least": "≥", "at most": "≤", exactly: "=" } as const;

/** The measured rows as a table for a terminal. */
export function reportTable(measured: readonly MeasuredRow[]): string {
  const table = new Table({
    head: ["row", "what", "Worker", "baseline", "median (spread)", "budget", "met"],
    colWidths: [null, 48],
    colAligns: ["left", "left", "right", "right", "right", "right", "left"],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  table.push(...measured.map(tableCells));
  return table.toString();
}

/** Writes the measured rows to a file, as JSON. */
export async function writeReport(file: string, effort: Effort, measured: readonly MeasuredRow[]): Promise<void> {
  const rows = measured.map((one) => {
    const { name, what, budget } = one.row;
    return { name, what, budget, ...one.measurement, met: isMet(one) };
  });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify({ effort, rows }, null, 2)}\n`);
}

function tableCells(measured: MeasuredRow): string[] {
  const { row, measurement } = measured;
  const { rule, limit, unit } = row.budget;
  return [
    row.name,
    row.what,
    describeFigures(measurement.ours),
    describeFigures(measurement.baseline),
    withUnit(describeValue(measured), unit),
    withUnit(`${SIGNS[rule]} ${limit}`, unit),
    isMet(measured) ? "yes" : "NO",
  ];
}

/** The median, and where there are several values, how far they spread: `0.82 (0.80 to 0.85)`. */
export function describeValue({ measurement: { value } }: MeasuredRow): string {
  const { median, min, max } = value;
  return min === max ? rounded(median) : `${rounded(median)} (${rounded(min)} to ${rounded(max)})`;
}

function describeFigures(figures: Figures | undefined): string {
  if (figures === undefined) return "";
  return `${Math.round(figures.cpuMicroseconds)} µs CPU\n${Math.round(figures.requestsPerSecond)}/s`;
}

function withUnit(text: string, unit: string | undefined): string {
  return unit === undefined ? text : `${text} ${unit}`;
}

/** Three digits are all that a second run confirms. */
function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}
