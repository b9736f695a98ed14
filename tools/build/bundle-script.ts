import { build } from "esbuild";

/** The browsers of the last three years. */
const TARGET = "es2022";

/**
 * Bundles a module with everything it imports into one minified script: a module itself, or a script to put into a page.
 * @throws Error with esbuild's message.
 */
export async function bundleScript(entry: string, format: "esm" | "iife"): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format,
    target: TARGET,
    // Half the bytes of escapes, for Chinese.
    charset: "utf8",
    legalComments: "none",
    write: false,
    logLevel: "silent",
  });
  const [script] = result.outputFiles;
  if (script === undefined) throw new Error(`Nothing was built from ${entry}.`);
  return script.text;
}
