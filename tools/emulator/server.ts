import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context } from "hono";
import { isLoopbackHost } from "../lib/loopback-host.ts";
import { createEmulator } from "./emulator.ts";

/** Node's 5 s would now and then close a connection in the very moment in which a client uses it again. */
const KEEP_ALIVE_MS = 60_000;

/** A listening emulator. */
export type RunningEmulator = {
  /** Without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Ends every connection, hanging ones included, and stops listening. */
  close(): Promise<void>;
};

/**
 * Serves an emulator over HTTP; port 0, the default, is a free one. The control API is for loopback peers only, on
 * whatever address the server listens. Rejects with Node's own error when it cannot listen, such as `EADDRINUSE`.
 */
export async function startEmulator({ port = 0, host = "127.0.0.1" } = {}): Promise<RunningEmulator> {
  const emulator = createEmulator({ isLocal: hasLoopbackPeer, dropConnection: destroySocket });
  // A library must leave the Request and Response of its process as they are.
  const listener = getRequestListener(emulator.fetch, { overrideGlobalObjects: false });
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener);

  const address = await listen(server, port, host);
  return { url: urlFor(address), port: address.port, close: () => close(server) };
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      // A server that listens on a port has an address with a port.
      resolve(server.address() as AddressInfo);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** A client cannot connect to the unspecified address; loopback of the same family leads to the same server. */
function urlFor({ address, family, port }: AddressInfo): string {
  if (family === "IPv6") return `http://[${address === "::" ? "::1" : address}]:${port}`;
  return `http://${address === "0.0.0.0" ? "127.0.0.1" : address}:${port}`;
}

function hasLoopbackPeer(c: Context): boolean {
  return isLoopbackHost(nodeBindings(c).incoming.socket.remoteAddress ?? "");
}

function destroySocket(c: Context): Response {
  nodeBindings(c).outgoing.destroy();
  return RESPONSE_ALREADY_SENT;
}

function nodeBindings(c: Context): HttpBindings {
  // getRequestListener hands these to every request.
  return c.env;
}
