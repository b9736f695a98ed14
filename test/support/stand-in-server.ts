import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context, Hono } from "hono";

/** What a stand-in responds; by default 200, at once, without a body. */
export type Reply = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sends the body compressed, and announces the length that this has. */
  readonly gzip?: true;
  readonly delay_ms?: number;
  /** Never responds. */
  readonly hang?: true;
  /** Sends the body, and never ends. */
  readonly stall?: true;
  /** Ends the connection instead of responding. */
  readonly drop?: true;
};

type Server = { readonly url: string; readonly close: () => Promise<void> };

/** Serves an app on a free loopback port. */
export async function serve(app: Hono): Promise<Server> {
  // Node's 5 s would now and then close a connection in the very moment in which a client uses it again.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Responds as told. */
export async function respondWith(c: Context, reply: Reply): Promise<Response> {
  if (reply.hang) return new Promise(() => {});
  if (reply.drop) {
    (c.env as HttpBindings).outgoing.destroy(); // getRequestListener hands these to every request
    return RESPONSE_ALREADY_SENT;
  }
  if (reply.delay_ms) await new Promise((resolve) => setTimeout(resolve, reply.delay_ms));
  if (reply.gzip) return compressed(reply);
  return new Response(reply.stall ? endless(reply.body) : (reply.body ?? null), {
    status: reply.status ?? 200,
    headers: reply.headers ?? {},
  });
}

function compressed({ status = 200, headers, body = "" }: Reply): Response {
  const bytes = gzipSync(body);
  const announcement = { "Content-Encoding": "gzip", "Content-Length": String(bytes.length) };
  return new Response(bytes, { status, headers: { ...headers, ...announcement } });
}

function endless(text = "{"): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(text)) });
}
