import Table from "cli-table3";
import type { SimulatedMonth } from "./simulate.ts";

/** The simulated months as a table for a terminal, with a line on each sample below it. */
export function reportTable(months: readonly SimulatedMonth[]): string {
  const table = new Table({
    head: [
      "users",
      "token life",
      "requests",
      "from memory",
      "exchanges",
      "KV reads",
      "KV writes",
      "plan",
      "US$ a month",
      "from December",
    ],
    colAligns: ["right", "right", "right", "right", "right", "right", "right", "left", "right", "right"],
    style: { head: [], border: [] },
  });
  table.push(...months.map(tableCells));
  return [table.toString(), ...new Set(months.map(describeSample))].join("\n");
}

function tableCells({ users, tokenSeconds, counts, month, price }: SimulatedMonth): string[] {
  return [
    users.toLocaleString("en"),
    `${tokenSeconds} s`,
    describeAmount(month.requests),
    `${Math.round((100 * counts.servedFrom.memory) / counts.requests)} %`,
    describeAmount(month.exchanges),
    describeAmount(month.kvReads),
    describeAmount(month.kvWrites),
    price.plan,
    describeDollars(price.total),
    describeDollars(price.totalFromDecember),
  ];
}

/** Three digits: `442 million`, `44,300`, `429`. More would promise what a sample cannot tell. */
export function describeAmount(amount: number): string {
  const [value, unit] = amount >= 999_500 ? [amount / 1e6, " million"] : [amount, ""];
  return value.toLocaleString("en", { maximumSignificantDigits: 3 }) + unit;
}

function describeDollars(amount: number): string {
  return amount === 0 ? "0" : amount.toFixed(amount < 100 ? 2 : 0);
}

function describeSample({ users, sample }: SimulatedMonth): string {
  const days = counted(sample.days, "day");
  if (sample.users === users) return `${counted(users, "user")}: simulated for ${days}.`;
  return `${counted(users, "user")}: ${sample.users.toLocaleString("en")} of them simulated for ${days}, and scaled.`;
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
