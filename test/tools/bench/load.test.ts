import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkSameResponse, type Load, readResponse, sendLoad, sharesFor } from "../../../tools/bench/load.ts";
import { type LoopbackServer, serveOnLoopback } from "../../../tools/lib/loopback-server.ts";

let server: LoopbackServer;
let received: string[];
let respond: () => Response | Promise<Response>;

beforeEach(async () => {
  received = [];
  respond = () => Response.json({});
  const app = new Hono().post("/", (c) => {
    received.push(c.req.header("X-User-ID") ?? "no user");
    return respond();
  });
  server = await serveOnLoopback(app.fetch);
});

afterEach(() => server.close());

const users = (count: number) => Array.from({ length: count }, (_, index) => ({ "X-User-ID": `user${index}` }));

function send(load: Partial<Load>): Promise<number> {
  const signal = new AbortController().signal;
  return sendLoad({ url: server.url, requests: users(1), amount: 1, connections: 1, signal, ...load });
}

describe("a load", () => {
  it("sends each of many requests of a load once, over all connections", async () => {
    await send({ requests: users(50), amount: 50, connections: 7 });
    expect(received.toSorted()).toEqual(
      users(50)
        .map((headers) => headers["X-User-ID"])
        .toSorted(),
    );
  });

  it("repeats a single request of a load as often as asked", async () => {
    await send({ requests: users(1), amount: 20, connections: 4 });
    expect(received).toEqual(Array(20).fill("user0"));
  });

  it("measures the seconds from the first request of a load to the last response", async () => {
    respond = async () => {
      await sleep(100);
      return Response.json({});
    };
    const seconds = await send({ amount: 6, connections: 2 });
    expect(seconds).toBeGreaterThan(0.29);
    expect(seconds).toBeLessThan(3);
  });

  it("fails a load when a response is no success, and says how many were", async () => {
    respond = () => (received.length === 3 ? Response.json({}, { status: 502 }) : Response.json({}));
    await expect(send({ amount: 10 })).rejects.toThrow("Of 10 requests");
  });

  it("fails a load when there is no response", async () => {
    await server.close();
    await expect(send({ amount: 2 })).rejects.toThrow("failed");
  });

  it("ends a load when it is stopped", async () => {
    const stopped = new AbortController();
    respond = async () => {
      await sleep(20);
      stopped.abort();
      return Response.json({});
    };
    await expect(send({ amount: 10_000, signal: stopped.signal })).rejects.toThrow("aborted");
    expect(received.length).toBeLessThan(100);
  });
});

describe("the shares of the connections", () => {
  it("repeats the requests on every connection when there are fewer than connections", () => {
    expect(sharesFor(users(1), 3)).toEqual(Array(3).fill([{ headers: { "X-User-ID": "user0" } }]));
  });

  it("gives each connection one request when there are as many of both", () => {
    expect(sharesFor(users(3), 3).map((share) => share.length)).toEqual([1, 1, 1]);
  });

  it("shares requests among connections as evenly as possible", () => {
    expect(sharesFor(users(8), 3).map((share) => share.length)).toEqual([3, 3, 2]);
  });
});

describe("the response that a baseline repeats", () => {
  const token = { access_token: "czs_a", expires_in: 1721135859, token_type: "Bearer" };

  beforeEach(() => {
    respond = () => Response.json(token, { headers: { "Cache-Control": "no-store" } });
  });

  it("makes a baseline repeat the JSON and headers, without those of every JSON response", async () => {
    const { json, headers } = await readResponse(server.url, {});
    expect(json).toEqual(token);
    expect(headers).toMatchObject({ "cache-control": "no-store" });
    expect(headers).not.toHaveProperty("content-type");
    expect(headers).not.toHaveProperty("content-length");
  });

  it("refuses a response without a token as what a baseline repeats", async () => {
    respond = () => Response.json({ error: "server_misconfigured" }, { status: 500 });
    await expect(readResponse(server.url, {})).rejects.toThrow("server_misconfigured");
  });

  it("refuses a baseline that does not repeat the response exactly", async () => {
    const expected = { json: token, headers: { ...(await readResponse(server.url, {})).headers, pragma: "no-cache" } };
    await expect(checkSameResponse(server.url, {}, expected)).rejects.toThrow("pragma");
  });
});
