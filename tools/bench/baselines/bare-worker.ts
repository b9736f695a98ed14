import { Hono } from "hono";

type Env = {
  readonly Bindings: { readonly ANSWER: object; readonly ANSWER_HEADERS: Readonly<Record<string, string>> };
};

/** The least that a Hono app can do: it answers every `POST /` with one and the same JSON and headers. */
const bareWorker = new Hono<Env>().post("/", (c) => c.json(c.env.ANSWER, 200, c.env.ANSWER_HEADERS));

// biome-ignore lint/style/noDefaultExport: workerd looks for the default export of a module.
export default bareWorker;
