import { expect, it } from "vitest";
import { failed, findingsJson, findingsTable } from "../../../tools/lib/finding.ts";

it("shows words that are longer than a column of its table as a whole", () => {
  const word = "q3M0d8J5mWlQWlXz7dYy1Nw3Yk3p8r0T5uV2xZ4aBcE".repeat(2);
  const table = findingsTable([{ name: "key", ok: true, detail: `KID: ${word}`, hint: "" }], { width: 80 });
  expect(table.replace(/[│\s]/g, "")).toContain(word);
});

it.each([100, 120, 200])("shows fingerprints in one piece, one below the other, in %i columns", (width) => {
  const [kid, digest] = ["q3M0d8J5mWlQWlXz7dYy1Nw3Yk3p8r0T5uV2xZ4aBcE", "x".repeat(43)];
  const lines = findingsTable([{ name: "key", ok: true, detail: `Two:\n${digest}\n${kid}`, hint: "" }], {
    width,
  }).split("\n");
  const at = lines.findIndex((line) => line.includes(digest));
  expect(lines[at + 1]?.indexOf(kid)).toBe(lines[at]?.indexOf(digest));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(width);
});

it("shows nothing in its table that a terminal would act on", () => {
  const table = findingsTable([{ name: "health", ok: false, detail: "a\u001b[2Jb\u0007c\u202ed", hint: "" }]);
  expect(table).toContain("ab?cd");
  expect(table).not.toContain("\u001b[2J");
});

it("prints name, ok, detail and hint as JSON, and nothing else", () => {
  const finding = { ...failed("service: DNS", "no address", "Check it.", "evidence"), topic: "network" } as const;
  expect(JSON.parse(findingsJson([finding]))).toEqual([
    { name: "service: DNS", ok: false, detail: "no address", hint: "Check it." },
  ]);
});
