import { Hono } from "hono";
import * as z from "zod";
import { type CozeApp, type CozeApps, DEFAULT_AUDIENCE, importPublicKey, MAX_KEYS } from "./apps.ts";
import { badRequest, notFound, parseBody } from "./control-request.ts";
import type { EmulatorEnv } from "./log-id.ts";

const MAX_NAME_LENGTH = 100;

const nameSchema = z.string().min(1).max(MAX_NAME_LENGTH);
const audienceSchema = z
  .string()
  .regex(/^[\w.:[\]-]+$/, `is a host such as ${DEFAULT_AUDIENCE}, without scheme and path`);

const keySchema = z.strictObject({
  kid: z.string().min(1),
  public_key: z.string().transform((pem, context) =>
    importPublicKey(pem).catch((error: unknown) => {
      context.addIssue(error instanceof TypeError ? error.message : "cannot be read");
      return z.NEVER;
    }),
  ),
});

const appSchema = z.strictObject({
  client_id: z.string().min(1),
  name: nameSchema.optional(),
  audience: audienceSchema.default(DEFAULT_AUDIENCE),
  keys: z
    .array(keySchema)
    .max(MAX_KEYS, `an app has ${MAX_KEYS} keys at most`)
    .refine((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length, "a kid stands for one key only"),
});

const changeSchema = z
  .strictObject({ active: z.boolean().optional(), name: nameSchema.optional(), audience: audienceSchema.optional() })
  .refine((change) => Object.keys(change).length > 0, "says nothing to change: active, name or audience");

/** `/apps`: what the owner of an app does in the Coze console. */
export function createControlAppRoutes({ apps }: { readonly apps: CozeApps }) {
  return new Hono<EmulatorEnv>()
    .post("/", async (c) => {
      const body = await parseBody(c, appSchema);
      if ("problem" in body) return badRequest(c, body.problem);

      const { client_id, name, audience, keys } = body.value;
      const keysByKid = new Map(keys.map(({ kid, public_key }) => [kid, public_key]));
      const app = { clientId: client_id, name: name ?? client_id, audience, active: true, keys: keysByKid };
      apps.set(client_id, app);
      return c.json(describeApp(app), 201);
    })
    .patch("/:client_id", async (c) => {
      const body = await parseBody(c, changeSchema);
      if ("problem" in body) return badRequest(c, body.problem);
      const app = apps.get(c.req.param("client_id"));
      if (app === undefined) return notFound(c, "client_id: no such app");

      const { active = app.active, name = app.name, audience = app.audience } = body.value;
      const changed = { ...app, active, name, audience };
      apps.set(app.clientId, changed);
      return c.json(describeApp(changed));
    })
    .delete("/:client_id", (c) => {
      const existed = apps.delete(c.req.param("client_id"));
      return existed ? c.body(null, 204) : notFound(c, "client_id: no such app");
    })
    .post("/:client_id/keys", async (c) => {
      const body = await parseBody(c, keySchema);
      if ("problem" in body) return badRequest(c, body.problem);
      const app = apps.get(c.req.param("client_id"));
      if (app === undefined) return notFound(c, "client_id: no such app");

      const { kid, public_key } = body.value;
      if (app.keys.has(kid)) return badRequest(c, "kid: the app has this key already");
      if (app.keys.size >= MAX_KEYS) return badRequest(c, `keys: an app has ${MAX_KEYS} keys at most`);
      const changed = { ...app, keys: new Map([...app.keys, [kid, public_key]]) };
      apps.set(app.clientId, changed);
      return c.json(describeApp(changed), 201);
    })
    .delete("/:client_id/keys/:kid", (c) => {
      const app = apps.get(c.req.param("client_id"));
      if (app === undefined) return notFound(c, "client_id: no such app");
      const kid = c.req.param("kid");
      if (!app.keys.has(kid)) return notFound(c, "kid: the app has no such key");

      const changed = { ...app, keys: new Map([...app.keys].filter(([other]) => other !== kid)) };
      apps.set(app.clientId, changed);
      return c.json(describeApp(changed));
    });
}

function describeApp({ clientId, name, audience, active, keys }: CozeApp) {
  return { client_id: clientId, name, audience, active, keys: Array.from(keys.keys(), (kid) => ({ kid })) };
}
