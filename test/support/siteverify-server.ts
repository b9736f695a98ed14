import { Hono } from "hono";
import { type Reply, respondWith } from "./stand-in-server.ts";

/** A challenge that a visitor has solved, under the response that proves it. */
export type SolvedChallenge = { readonly hostname: string; readonly action: string; readonly expired?: true };

export type Widget = {
  readonly secret: string;
  readonly solved: Readonly<Record<string, SolvedChallenge>>;
  /** Sent instead of the verdict. */
  readonly reply?: Reply;
};

type Verification = Readonly<Record<string, unknown>>;

/**
 * Creates stand-ins for the siteverify API of Turnstile, each at `/widgets/<id>/siteverify`: a response is good once,
 * until it expires. `PUT /control/<id>` sets a widget up, `GET /control/<id>` tells what was asked of it.
 */
export function createWidgets(): Hono {
  const widgets = new Map<string, Widget & { readonly received: Verification[]; readonly used: Set<unknown> }>();

  return new Hono()
    .put("/control/:id", async (c) => {
      const widget: Widget = await c.req.json();
      widgets.set(c.req.param("id"), { ...widget, received: [], used: new Set() });
      return c.body(null, 204);
    })
    .get("/control/:id", (c) => c.json(widgets.get(c.req.param("id"))?.received ?? []))
    .post("/widgets/:id/siteverify", async (c) => {
      const widget = widgets.get(c.req.param("id"));
      if (widget === undefined) return c.notFound();

      const asked: Verification = await c.req.json();
      widget.received.push(asked);
      if (widget.reply !== undefined) return respondWith(c, widget.reply);

      if (asked["secret"] !== widget.secret) return c.json(failure("invalid-input-secret"));
      const challenge = widget.solved[String(asked["response"])];
      if (challenge === undefined) return c.json(failure("invalid-input-response"));
      if (challenge.expired || widget.used.has(asked["response"])) return c.json(failure("timeout-or-duplicate"));
      widget.used.add(asked["response"]);
      const { hostname, action } = challenge;
      return c.json({ success: true, challenge_ts: new Date().toISOString(), hostname, action, "error-codes": [] });
    });
}

function failure(code: string): object {
  return { success: false, "error-codes": [code], messages: [] };
}
