// Plain JavaScript, so that it runs wherever npm does: it tells people what is missing before anything else is loaded.

/** The TypeScript of the tools runs on this one, as it stands. `npm ci` installs it. */
const MIN_NODE_VERSION = 24;

const missing = findMissing();
if (missing === undefined) {
  await import("./main.ts");
} else {
  console.error(missing);
  process.exitCode = 1;
}

/** Says in one sentence what to do before the service can start; `undefined` when nothing is missing. */
function findMissing() {
  try {
    import.meta.resolve("wrangler/package.json");
  } catch {
    return "The dependencies are not installed: run `npm ci` first.";
  }
  if (Number.parseInt(process.versions.node, 10) >= MIN_NODE_VERSION) return undefined;
  return `This is Node.js ${process.versions.node}, not the Node.js ${MIN_NODE_VERSION} that comes with the dependencies: run \`npm ci\` again, without --ignore-scripts.`;
}
