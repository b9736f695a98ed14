import { Hono } from "hono";
import type { BrowserContext, Page } from "playwright-core";
import type * as ClientModule from "../../src/client/client.ts";
import { serve } from "./stand-in-server.ts";

/** What the scripts of a page have: the module, and a provider that it has made. */
export type ClientScript = typeof ClientModule & { readonly getToken: ClientModule.GetToken };

/** What of the provider's options can be handed to a page. */
type PageOptions = { readonly userId?: string; readonly credential?: string };

/** Serves, on an origin of its own, a page that imports the module from the service named in its query. */
export function serveClientPage() {
  return serve(new Hono().get("/", (c) => c.html(clientPage(new URL("client.js", c.req.query("service"))))));
}

function clientPage(moduleUrl: URL): string {
  return `<!doctype html>
    <html lang="en">
      <title>A page of another origin</title>
      <link rel="icon" href="data:," />
      <script type="module">
        import * as client from "${moduleUrl}";
        globalThis.client = client;
      </script>
    </html>`;
}

/** Opens the page. Its script has the module and a provider for these options. */
export async function openClientPage(context: BrowserContext, { origin, service, options = {}, prepare }: ClientPage) {
  const page = await context.newPage();
  let requestCount = 0;
  page.on("request", (request) => {
    if (request.url() === service && request.method() === "POST") requestCount += 1;
  });
  await prepare?.(page);
  await page.goto(`${origin}/?service=${service}`);
  const client = await page.evaluateHandle<typeof ClientModule>("client");
  const script = await client.evaluateHandle(
    (client, options): ClientScript => ({ ...client, getToken: client.createTokenProvider(options) }),
    options,
  );

  return {
    page,
    /** A reload would end it. */
    script,
    getToken: () => script.evaluate(({ getToken }) => getToken()),
    /** How many token requests the page has sent, preflights not counted. */
    requestCount: () => requestCount,
  };
}

type ClientPage = {
  readonly origin: string;
  /** The address of the Worker, with a trailing slash. */
  readonly service: string;
  readonly options?: PageOptions;
  /** What happens before the page loads. */
  readonly prepare?: (page: Page) => Promise<unknown>;
};
