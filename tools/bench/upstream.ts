import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { randomAccessToken } from "../emulator/tokens.ts";
import { serveOnLoopback } from "../lib/loopback-server.ts";

/** A token endpoint that costs next to nothing: it checks nothing and answers as Coze does. */
export type Upstream = {
  readonly tokenEndpoint: string;
  /** How many exchanges it has answered. */
  readonly exchanges: () => number;
  readonly close: () => Promise<void>;
};

/** Coze's own default. */
const TOKEN_SECONDS = 900;

/** Starts a token endpoint on a free port of the loopback address, which takes `delayMs` for each answer. */
export async function startUpstream(delayMs = 0): Promise<Upstream> {
  const accessToken = randomAccessToken();
  let exchanges = 0;

  const app = new Hono().post("/token", async (c) => {
    exchanges += 1;
    if (delayMs > 0) await sleep(delayMs);
    const expiresAt = Math.floor(Date.now() / 1000) + TOKEN_SECONDS;
    return c.json({ access_token: accessToken, expires_in: expiresAt, token_type: "Bearer" });
  });
  const { url, close } = await serveOnLoopback(app.fetch);
  return { tokenEndpoint: `${url}/token`, exchanges: () => exchanges, close };
}
