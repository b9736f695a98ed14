import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url).href);
const ENTRY = join("tools", "start", "start.js");

/** Makes this Node.js say that it is an older one. */
const NODE_20 =
  '--import=data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.9.0"}})';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "start-entry-test-"));
  mkdirSync(join(folder, dirname(ENTRY)), { recursive: true });
  cpSync(join(ROOT, ENTRY), join(folder, ENTRY));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.each([{ node: [] }, { node: [NODE_20] }])(
  "tells in one sentence that npm ci has not run, with Node.js $node",
  ({ node }) => {
    expect(run(node)).toEqual({
      status: 1,
      stdout: "",
      stderr: "The dependencies are not installed: run `npm ci` first.\n",
    });
  },
);

it("tells in one sentence that npm ci has not installed Node.js 24", () => {
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));

  expect(run([NODE_20])).toEqual({
    status: 1,
    stdout: "",
    stderr:
      "This is Node.js 20.9.0, not the Node.js 24 that comes with the dependencies: run `npm ci` again, without --ignore-scripts.\n",
  });
});

function run(nodeOptions: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...nodeOptions, join(folder, ENTRY)], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}
