import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunWrangler } from "../../../tools/deploy/run-wrangler.ts";
import { serveOnLoopback } from "../../../tools/lib/loopback-server.ts";
import { readProject } from "../../../tools/lib/project.ts";
import { startKvServer } from "../../../tools/workerd/kv-server.ts";
import { startWorkerd, type Workerd } from "../../../tools/workerd/workerd.ts";

type Secrets = Readonly<Record<string, string>>;

/**
 * Stands in for wrangler and Cloudflare: each deployment, and each change of secrets, starts the real Worker anew with the
 * variables of the folder's wrangler.toml, the secrets so far and one KV namespace, behind one address. The id of the
 * version is bound where wrangler.toml says so.
 */
export async function startCloudflare(root: string, script: string, env?: string) {
  const commands: string[] = [];
  const history: Secrets[] = [];
  const versions: Readonly<Record<string, unknown>>[] = [];
  let secrets: Secrets = {};
  let worker: Workerd | undefined;
  /** Of the next commands that are no dry run. */
  const failures: string[] = [];

  const kv = await startKvServer();
  const server = await serveOnLoopback(async (request) => {
    if (worker === undefined) return new Response(null, { status: 503 });
    const { pathname, search } = new URL(request.url);
    const response = await fetch(worker.url + pathname + search, {
      method: request.method,
      headers: request.headers,
      ...(request.method === "POST" && { body: await request.arrayBuffer() }),
    });
    const headers = new Headers(response.headers);
    headers.delete("Content-Encoding"); // fetch has decoded it
    return new Response(response.body, { status: response.status, headers });
  });

  async function deployVersion(): Promise<void> {
    const { deployed } = readProject(root, env);
    const hasId = readFileSync(join(root, "wrangler.toml"), "utf8").includes("version_metadata");
    const id = { CF_VERSION_METADATA: { id: `version-${versions.length}` } };
    const version = { ...deployed, ...secrets, ...(hasId && id) };
    versions.push(version);
    await start(version);
  }

  async function start(vars: Readonly<Record<string, unknown>>): Promise<void> {
    await worker?.close();
    worker = await startWorkerd({
      script,
      vars,
      kv: { TOKEN_CACHE: kv.address },
      quiet: true,
    });
  }

  const runWrangler: RunWrangler = async (args) => {
    const file = args.find((argument) => argument.endsWith(".json")) ?? "";
    commands.push(args.filter((argument) => argument !== file).join(" "));
    if (args.includes("--dry-run")) return { code: 0, output: "", targets: [] };
    const failure = failures.shift();
    if (failure !== undefined) return { code: 1, output: failure, targets: [] };

    const changed: Record<string, string | null> = JSON.parse(readFileSync(file, "utf8"));
    const wanted = Object.entries({ ...secrets, ...changed });
    secrets = Object.fromEntries(wanted.filter((entry): entry is [string, string] => entry[1] !== null));
    history.push(secrets);
    await deployVersion();
    return { code: 0, output: "", targets: args[0] === "deploy" ? [server.url] : [] };
  };

  return {
    url: server.url,
    runWrangler,
    /** As they were run, without the file. */
    commands,
    /** The secrets of the Worker after each change. */
    history,
    failures,
    /** Starts the version that was there before the first deployment, which had these variables instead. */
    rollBack: (vars: Readonly<Record<string, unknown>>) => start({ ...versions[0], ...vars }),
    async close() {
      await worker?.close();
      await server.close();
      await kv.close();
    },
  };
}
