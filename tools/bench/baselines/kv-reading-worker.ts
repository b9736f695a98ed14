import { Hono } from "hono";

type Env = {
  readonly Bindings: {
    readonly TOKEN_CACHE: KVNamespace;
    readonly RESPONSE: object;
    readonly RESPONSE_HEADERS: Readonly<Record<string, string>>;
  };
};

/** A Hono app that reads one value from KV, by the name in `X-User-ID`, and then responds with the same JSON each time. */
const kvReadingWorker = new Hono<Env>().post("/", async (c) => {
  const value = await c.env.TOKEN_CACHE.get(c.req.header("X-User-ID") ?? "", "arrayBuffer");
  return value === null ? c.notFound() : c.json(c.env.RESPONSE, 200, c.env.RESPONSE_HEADERS);
});

// biome-ignore lint/style/noDefaultExport: workerd looks for the default export of a module.
export default kvReadingWorker;
