// Plain JavaScript, so that it runs wherever npm does: it tells people what is missing before anything else is loaded.

/** The TypeScript of the tools runs on this one, as it stands. `npm ci` installs it. */
const MIN_NODE_VERSION = 24;

/**
 * The commands, and their options. What comes before `--` is npm's: it drops those that are not its own. Not among them
 * are those that npm has too and people set for it, --access, --json and --yes: nothing is deployed by leaving them out.
 */
const OPTIONS = {
  start: "port emulator-port vars-file emulator callers fresh",
  setup:
    "client-id key-file kid region token-endpoint caller recipe issuer audience bot-ids permissions origins " +
    "domain env no-exchange deploy dry-run",
  doctor: "live bot-id url origin env",
  deploy: "env dry-run dryrun allow-open url keep-vars secrets-file",
  rotate: "key-file kid old-key-file old-kid no-old-key no-token-check env url dry-run",
  keygen: "rotate env",
  audit: "env vars-file key-file",
  emulator: "port host",
  simulate:
    "users duration requests-per-hour hours-per-day sessions-per-day locations isolates-per-location " +
    "requests-per-second-and-isolate isolate-idle-seconds isolate-life-hours kv-propagation no-kv seed max-requests",
};

const [name = "", ...words] = process.argv.slice(2);
const obstacle = findMissing() ?? findTaken();
if (obstacle === undefined) {
  process.argv.splice(2, 1);
  await import(`./${name}/main.ts`);
} else {
  console.error(obstacle);
  process.exitCode = 1;
}

/** Says in one sentence what to do before a command can run; `undefined` when nothing is missing. */
function findMissing() {
  try {
    import.meta.resolve("wrangler/package.json");
  } catch {
    return "The dependencies are not installed: run `npm ci` first.";
  }
  if (Number.parseInt(process.versions.node, 10) >= MIN_NODE_VERSION) return undefined;
  return `This is Node.js ${process.versions.node}, not the Node.js ${MIN_NODE_VERSION} that comes with the dependencies: run \`npm ci\` again, without --ignore-scripts.`;
}

/** Finds options that npm has kept for itself. Without them a command does what nobody wants, such as deploy. */
function findTaken() {
  const taken = OPTIONS[name].split(" ").filter((option) => isTakenByNpm(option) && !isGiven(option));
  if (taken.length === 0) return undefined;
  const command = name === "start" ? "npm start" : `npm run ${name}`;
  const rest = taken.length > 1 || words.length > 0 ? " ..." : "";
  return `npm has taken --${taken.join(", --")} for itself. Write the options after --: ${command} -- --${taken[0]}${rest}`;
}

/** npm tells its scripts of every option: `npm_config_dry_run=true`; `--no-exchange` makes `npm_config_exchange` blank. */
function isTakenByNpm(option) {
  const value = process.env[`npm_config_${option.replace(/^no-/, "").replaceAll("-", "_")}`];
  return option.startsWith("no-") ? value === "" : value !== undefined && value !== "";
}

function isGiven(option) {
  return words.some((word) => word === `--${option}` || word.startsWith(`--${option}=`));
}
