import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { Hono } from "hono";
import { readCode } from "../../support/readme-snippets.ts";
import { serve } from "../../support/stand-in-server.ts";

const FOLDER = import.meta.dirname;
const SDK = join(FOLDER, "node_modules/@coze/chat-sdk/dist/lib-h5");

/** What the snippet of README.md needs before it. The page tells what the component asks of it. */
const PRELUDE = `
  import "@coze/chat-sdk/webCss";
  import * as exported from "@coze/chat-sdk/webJs";
  import { createElement } from "react";
  import { createRoot } from "react-dom/client";

  const { ChatFramework, ChatSlot, ChatType, Language } = exported.default ?? exported;
  const { service, coze, user } = Object.fromEntries(new URLSearchParams(location.search));

  globalThis.errors = [];
  globalThis.refreshes = [];
  const client = await import(service + "client.js");
  const getToken = client.createTokenProvider({ userId: user });
  const root = createRoot(document.getElementById("root"));

  async function cozeChatAuth(getToken) {
    const { onRefreshToken, ...auth } = await client.cozeChatAuth(getToken, { onError: ({ code }) => errors.push(code) });
    const spied = async (oldToken) => {
      const newToken = await onRefreshToken(oldToken);
      refreshes.push({ oldToken, newToken });
      return newToken;
    };
    return { ...auth, onRefreshToken: spied };
  }
`;

const HTML = `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <title>A page with the official chat component</title>
  <link rel="icon" href="data:," />
  <link rel="stylesheet" href="page.css" />
  <div id="root" style="height: 600px"></div>
  <script type="module" src="page.js"></script>
</html>`;

/**
 * Serves a page with the official chat component, from an origin of its own. Its query names the `service`, `coze` and the
 * `user`. Its globals `refreshes` and `errors` are what the component has asked for, and the codes of failures.
 * @throws Error that says how to install the component.
 */
export async function serveChatPage() {
  if (!existsSync(SDK)) throw new Error("Install the chat component first: npm ci --prefix test/browser/chat-sdk");

  const { outputFiles } = await build({
    stdin: { contents: PRELUDE + (await readmeSnippet()), resolveDir: FOLDER, loader: "jsx" },
    jsxFactory: "createElement",
    outfile: "page.js",
    bundle: true,
    write: false,
    format: "esm",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  const output = (extension: string) => outputFiles.find(({ path }) => path.endsWith(extension))?.text ?? "";

  return serve(
    new Hono()
      .get("/", (c) => c.html(HTML))
      .get("/page.js", (c) => c.body(output(".js"), 200, { "Content-Type": "text/javascript" }))
      .get("/page.css", (c) => c.body(output(".css"), 200, { "Content-Type": "text/css" }))
      // The component loads parts of itself.
      .get("/chunk/:file{\\w+\\.js}", async (c) => {
        const chunk = await readFile(join(SDK, "chunk", c.req.param("file")), "utf8");
        return c.body(chunk, 200, { "Content-Type": "text/javascript" });
      }),
  );
}

/** The component as README.md shows it, with the emulator for Coze and the user of the page. */
async function readmeSnippet(): Promise<string> {
  const [code] = await readCode("Web Chat", "jsx");
  return code.replace('"https://api.coze.cn"', "coze").replace('"user123"', "user");
}
