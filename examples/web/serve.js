// Serves the page of this folder on http://127.0.0.1:8080, and pretends to be your login.
//
// A login that speaks OpenID Connect does four things, and this one does them as well:
// it signs a JWT that says who the user is (/id-token), it publishes the key to check it with (/jwks), it says where
// that key is (/.well-known/openid-configuration), and it knows who is logged in (a cookie). Unlike yours, it asks for no
// password.

import { createPublicKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";

const port = Number(process.env.PORT ?? 8080);
const settings = {
  tokenUrl: process.env.TOKEN_URL ?? "http://127.0.0.1:8787/", // the Worker
  cozeApi: process.env.COZE_API ?? "http://127.0.0.1:4000", // the emulator; https://api.coze.cn or https://api.coze.com
  botId: process.env.BOT_ID ?? "7379462189365198898",
};

const ISSUER = `http://127.0.0.1:${port}`;
const AUDIENCE = "coze-chat"; // as in callers.json
const JWT_LIFE_SECONDS = 600;

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicJwk = {
  ...createPublicKey(privateKey).export({ format: "jwk" }),
  kid: randomUUID(),
  alg: "RS256",
  use: "sig",
};

/** Who is logged in, by the secret in their cookie. */
const users = new Map();

const FILES = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/main.js": ["main.js", "text/javascript"],
  "/chat.js": ["chat.js", "text/javascript"],
  "/style.css": ["style.css", "text/css"],
};

/** The page loads code and data from here, from the Worker and from Coze, and from nowhere else. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  `script-src 'self' ${new URL(settings.tokenUrl).origin}`,
  `connect-src 'self' ${new URL(settings.tokenUrl).origin} ${new URL(settings.cozeApi).origin}`,
].join("; ");

const server = createServer((request, response) => {
  respond(request, response).catch((error) => {
    console.error(error);
    send(response, 400, { error: "This request is invalid." });
  });
});
server.listen(port, "127.0.0.1", () => console.log(`The page is on ${ISSUER}. Ctrl-C ends it.`));

async function respond(request, response) {
  const { pathname } = new URL(request.url, ISSUER);
  const session = request.headers.cookie?.match(/(?:^|; )session=([^;]+)/)?.[1];
  const user = users.get(session);

  switch (`${request.method} ${pathname}`) {
    case "GET /settings":
      return send(response, 200, settings);

    case "POST /login": {
      const { name } = await json(request);
      if (!/^[\w.@-]{1,64}$/.test(name)) {
        return send(response, 400, { error: "A name has 1 to 64 letters, digits, dots, hyphens or underscores." });
      }
      const secret = randomUUID();
      users.set(secret, name);
      // No script can read it, and no page of another site can send it.
      response.setHeader("Set-Cookie", `session=${secret}; Path=/; HttpOnly; SameSite=Strict`);
      return send(response, 200, { name });
    }

    case "POST /logout":
      users.delete(session);
      return send(response, 200, {});

    case "GET /id-token":
      if (user === undefined) return send(response, 200, { name: null });
      return send(response, 200, { name: user, id_token: signJwt(user), expires_in: JWT_LIFE_SECONDS });

    case "GET /.well-known/openid-configuration":
      return send(response, 200, { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` });

    case "GET /jwks":
      return send(response, 200, { keys: [publicJwk] });
  }

  const [file, type] = (request.method === "GET" && FILES[pathname]) || [];
  if (file === undefined) return send(response, 404, { error: "There is nothing here." });
  response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": CONTENT_SECURITY_POLICY });
  response.end(await readFile(new URL(file, import.meta.url)));
}

function send(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(JSON.stringify(body));
}

/** `sub` becomes the session name at Coze: every user has conversations of their own. */
function signJwt(sub) {
  const iat = Math.floor(Date.now() / 1000);
  const header = { alg: "RS256", typ: "JWT", kid: publicJwk.kid };
  const claims = { iss: ISSUER, aud: AUDIENCE, sub, iat, exp: iat + JWT_LIFE_SECONDS };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}
