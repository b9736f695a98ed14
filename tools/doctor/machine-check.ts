import { type Finding, failed, passed } from "../lib/finding.ts";
import { OTHERS } from "../lib/write-files.ts";

/** What wrangler's package says of itself. */
type WranglerPackage = { readonly version: string; readonly engines: { readonly node: string } };

/** Checks that this Node.js is one that the installed wrangler runs on. */
export function checkNode(nodeVersion: string, { engines }: WranglerPackage): Finding {
  const minMajor = majorFor(engines.node);
  if (majorFor(nodeVersion) >= minMajor) return passed("Node.js", nodeVersion);
  return failed(
    "Node.js",
    `${nodeVersion}: wrangler needs ${engines.node}`,
    "Run npm ci, then run this command with npm run, which uses Node.js 24.",
  );
}

/** Checks that the wrangler that is installed is the one that package.json names, if it names exactly one. */
export function checkWrangler({ version }: WranglerPackage, wanted: string | undefined): Finding {
  if (wanted === undefined || !/^\d/.test(wanted) || version === wanted) return passed("wrangler", version);
  return failed("wrangler", `${version} is installed, package.json has ${wanted}`, "Run npm ci.");
}

/** Checks that a vars file, with this mode, is for its owner alone. */
export function checkVarsFileMode(name: string, mode: number): Finding {
  const octal = (mode & 0o777).toString(8);
  if ((mode & OTHERS) === 0) return passed(name, `only you can read it (${octal})`);
  return failed(name, `others on this machine can read it (${octal})`, `chmod 600 ${name}`);
}

function majorFor(version: string): number {
  return Number(/\d+/.exec(version)?.[0] ?? 0);
}
