import { Hono } from "hono";

type Env = {
  readonly Bindings: { readonly RESPONSE: object; readonly RESPONSE_HEADERS: Readonly<Record<string, string>> };
};

/** The least that a Hono app can do: it responds to every `POST /` with one and the same JSON and headers. */
const bareWorker = new Hono<Env>().post("/", (c) => c.json(c.env.RESPONSE, 200, c.env.RESPONSE_HEADERS));

// biome-ignore lint/style/noDefaultExport: workerd looks for the default export of a module.
export default bareWorker;
