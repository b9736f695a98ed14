import { createSign, randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Exchange } from "../../../tools/emulator/exchange-log.ts";
import { startEmulator } from "../../../tools/emulator/server.ts";
import { createKeyPair } from "../../../tools/lib/key-pair.ts";

export const CLIENT_ID = "1127900106117";
export const APP_NAME = "Shop assistant";
export const KID = "_v0VjcMlLdQc3tRTD3jC5Xz29TUnKQOhtuD5k-gpyf4";
export const AUDIENCE = "api.coze.cn";
export const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
export const TOKEN_PATH = "/api/permission/oauth2/token";

export type Properties = Record<string, unknown>;

/** An assertion to sign: the valid one, with some properties replaced; undefined leaves a property out. */
export type Bend = { readonly header?: Properties; readonly claims?: Properties; readonly privateKey?: string };

export type ExchangeOptions = {
  readonly assertion?: string;
  readonly body?: unknown;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
};

export type Rig = Awaited<ReturnType<typeof startRig>>;

export const keyPair = createKeyPair();

/** The absolute path of a file of the emulator. */
export function emulatorFile(name: string): string {
  return fileURLToPath(new URL(`../../../tools/emulator/${name}`, import.meta.url).href);
}

export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** A JWT signed with RS256 whatever its header says. */
export function signAssertion({ header, claims, privateKey = keyPair.privateKey }: Bend = {}): string {
  const iat = nowInSeconds();
  const signed = [
    { alg: "RS256", typ: "JWT", kid: KID, ...header },
    { iss: CLIENT_ID, aud: AUDIENCE, iat, exp: iat + 3600, jti: randomUUID(), ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${createSign("sha256").update(signed).sign(privateKey, "base64url")}`;
}

/** An emulator on a free port with one registered app, and the requests that tests make to it. */
export async function startRig() {
  const emulator = await startEmulator();
  const { url } = emulator;
  await control("POST", "/apps", {
    client_id: CLIENT_ID,
    name: APP_NAME,
    keys: [{ kid: KID, public_key: keyPair.publicKey }],
  });
  return { ...emulator, control, exchange, issue, me, exchanges };

  async function control(method: string, path: string, body?: unknown) {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await fetch(`${url}/emulator${path}`, init);
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  }

  /** One exchange as an ordinary client makes it, unless told otherwise. Follows no redirect. */
  function exchange({ assertion = signAssertion(), body, path = TOKEN_PATH, headers, signal }: ExchangeOptions = {}) {
    return fetch(url + path, {
      method: "POST",
      redirect: "manual",
      headers: { Authorization: `Bearer ${assertion}`, "Content-Type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body ?? { grant_type: GRANT_TYPE }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** The token of one successful exchange. */
  async function issue(bend?: Bend, body?: Properties): Promise<string> {
    const response = await exchange({ assertion: signAssertion(bend), body: { grant_type: GRANT_TYPE, ...body } });
    const { access_token: token } = await response.json<{ access_token: string }>();
    return token;
  }

  /** The status and the body that `GET /v1/users/me` sends for a token. */
  async function me(accessToken: string) {
    const response = await fetch(`${url}/v1/users/me`, { headers: { Authorization: `Bearer ${accessToken}` } });
    return { status: response.status, body: JSON.parse(await response.text()) };
  }

  async function exchanges(query = ""): Promise<Exchange[]> {
    const { body } = await control("GET", `/exchanges${query}`);
    return body.exchanges;
  }
}
