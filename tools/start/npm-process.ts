import { spawnSync } from "node:child_process";

/**
 * The id of the npm process that runs this script; `undefined` when none does. Where npm's shell has stayed between the
 * two, it is found with `ps`.
 */
export function npmProcess(): number | undefined {
  const script = process.env["npm_lifecycle_script"];
  if (script === undefined) return undefined;

  const { stdout } = spawnSync("ps", ["-o", "ppid=,args=", "-p", String(process.ppid)], { encoding: "utf8" });
  const [, grandparent, command] = stdout?.match(/^\s*(\d+)\s+(.*)/) ?? [];
  return command?.includes(script) ? Number(grandparent) : process.ppid;
}
