import { Hono } from "hono";
import { type Reply, respondWith } from "./stand-in-server.ts";

/** What an issuer publishes. */
export type IssuerDocument = "discovery" | "keys";

type PublishedIssuer = {
  readonly replies: Partial<Record<IssuerDocument, Reply>>;
  readonly fetches: Record<IssuerDocument, number>;
};

/**
 * Creates OIDC issuers, each below `/issuers/<id>`: the discovery document at its well-known path (OpenID Connect
 * Discovery §4), the keys at every other. `PUT /control/<id>/<document>` publishes, `GET /control/<id>` counts fetches.
 */
export function createIssuers(): Hono {
  const issuers = new Map<string, PublishedIssuer>();

  return new Hono()
    .put("/control/:id/:document{discovery|keys}", async (c) => {
      const { id, document } = c.req.param();
      issuerOf(id).replies[document as IssuerDocument] = await c.req.json(); // as the path says
      return c.body(null, 204);
    })
    .get("/control/:id", (c) => c.json(issuerOf(c.req.param("id")).fetches))
    .get("/issuers/:id/*", (c) => {
      const { replies, fetches } = issuerOf(c.req.param("id"));
      const document = c.req.path.endsWith("/.well-known/openid-configuration") ? "discovery" : "keys";
      fetches[document] += 1;
      return respondWith(c, replies[document] ?? { status: 404 });
    });

  function issuerOf(id: string): PublishedIssuer {
    const issuer = issuers.get(id) ?? { replies: {}, fetches: { discovery: 0, keys: 0 } };
    issuers.set(id, issuer);
    return issuer;
  }
}
