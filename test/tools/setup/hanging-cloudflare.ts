import { onTestFinished } from "vitest";
import { serveOnLoopback } from "../../../tools/lib/loopback-server.ts";

/** Starts an API of Cloudflare that never responds, until the test ends: `env` leads wrangler to it. */
export async function startHangingCloudflare() {
  const asked = Promise.withResolvers<void>();
  const cloudflare = await serveOnLoopback(() => {
    asked.resolve();
    return new Promise(() => {});
  });
  onTestFinished(cloudflare.close);
  return {
    /** Resolves with the first request. */
    isAsked: asked.promise,
    env: { CLOUDFLARE_API_BASE_URL: cloudflare.url, CLOUDFLARE_API_TOKEN: "any", CLOUDFLARE_ACCOUNT_ID: "any" },
  };
}
