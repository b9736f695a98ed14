import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";

/** A server of this process. */
export type LoopbackServer = {
  /** Without a trailing slash. */
  readonly url: string;
  readonly close: () => Promise<void>;
};

/** Serves over HTTP on a free port of the loopback address. */
export async function serveOnLoopback(
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<LoopbackServer> {
  const server = serve({ fetch, port: 0, hostname: "127.0.0.1" });
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}
