import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { serveOnLoopback } from "../lib/loopback-server.ts";

/**
 * How a KV namespace misbehaves. `slow`: it takes time, but less than a reader's timeout. `hanging`: it does not
 * respond until the trouble is over, and then with an error. `stale`: a read gives the value before the last write, as
 * in Workers KV for a minute in other places than the one of the write.
 */
export type KvTrouble = "none" | "failing" | "hanging" | "slow" | "stale";

/** A KV namespace that workerd reaches over HTTP, with its limits: values end when they expire, and expire no sooner than KV allows. */
export type KvServer = {
  /** `host:port`, as a binding of workerd wants it. */
  readonly address: string;
  readonly entries: ReadonlyMap<string, KvEntry>;
  readonly reads: () => number;
  readonly writes: () => number;
  readonly setTrouble: (trouble: KvTrouble) => void;
  readonly close: () => Promise<void>;
};

export type KvEntry = { readonly value: ArrayBuffer; readonly expiration: number };

/** Workers KV refuses an expiration that is nearer. */
const MIN_TTL_SECONDS = 60;
const SLOW_MS = 300;

/** Starts a KV namespace on a free port of the loopback address. Its entries are lost when it is closed. */
export async function startKvServer(): Promise<KvServer> {
  const entries = new Map<string, KvEntry>();
  const previous = new Map<string, KvEntry>();
  const counts = { reads: 0, writes: 0 };
  let trouble: KvTrouble = "none";
  let troubleOver = Promise.withResolvers<void>();

  const app = new Hono()
    .use(async function misbehave(c, next) {
      if (trouble === "slow") await sleep(SLOW_MS);
      if (trouble !== "failing" && trouble !== "hanging") return next();
      if (trouble === "hanging") await Promise.race([untilDeparture(c.req.raw), troubleOver.promise]);
      return c.text("the namespace is out of order", 503);
    })
    .get("/:key", (c) => {
      counts.reads += 1;
      const entry = (trouble === "stale" ? previous : entries).get(c.req.param("key"));
      if (entry === undefined || entry.expiration <= Date.now() / 1000) return c.notFound();
      return c.body(entry.value);
    })
    .put("/:key", async (c) => {
      counts.writes += 1;
      const name = c.req.param("key");
      const before = entries.get(name);
      const expiration = Number(c.req.query("expiration") ?? Number.POSITIVE_INFINITY);
      if (expiration < Date.now() / 1000 + MIN_TTL_SECONDS) return c.text("Invalid expiration", 400);
      if (before !== undefined) previous.set(name, before);
      entries.set(name, { value: await c.req.arrayBuffer(), expiration });
      return c.body(null, 200);
    })
    .delete("/:key", (c) => {
      entries.delete(c.req.param("key"));
      return c.body(null, 200);
    });

  const { url, close } = await serveOnLoopback(app.fetch);
  return {
    address: new URL(url).host,
    entries,
    reads: () => counts.reads,
    writes: () => counts.writes,
    setTrouble: (next) => {
      trouble = next;
      troubleOver.resolve();
      troubleOver = Promise.withResolvers();
    },
    close,
  };
}

function untilDeparture({ signal }: Request): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener("abort", resolve));
}
