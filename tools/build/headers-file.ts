/**
 * The headers of the static assets, in Cloudflare's format for `_headers`. They apply to the files that Cloudflare
 * serves by itself, to its 405 for other methods, and to what the Worker gets from the binding.
 */
export function formatHeadersFile(consolePolicy: string): string {
  const anyPage = { "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin" };
  const served = { Allow: "GET, HEAD", "X-Content-Type-Options": "nosniff" };
  const rules: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "/client.js": { ...served, ...anyPage },
    // A file name that ends in .ts would be a video.
    "/client.d.ts": { ...served, ...anyPage, "Content-Type": "text/plain; charset=utf-8" },
    "/openapi.json": { ...served, ...anyPage },
    "/console.html": { "Content-Security-Policy": consolePolicy },
  };
  return Object.entries(rules)
    .flatMap(([path, headers]) => [path, ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`), ""])
    .join("\n");
}
