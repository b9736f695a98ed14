import { type CryptoKey, exportJWK, generateKeyPair, type JSONWebKeySet, type JWK, SignJWT } from "jose";
import { inject } from "vitest";
import type { IssuerDocument } from "./issuer-server.ts";
import type { Reply } from "./stand-in-server.ts";

/** Claims or header parameters, right or wrong. */
export type Claims = Readonly<Record<string, unknown>>;

/** A key pair of an issuer. */
export type IssuerKey = {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
};

export type TestIssuer = {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  /** Where its keys are. */
  readonly jwksUri: string;
  /** Its keys, the first of which signs. */
  readonly keys: readonly IssuerKey[];
  /** Signs claims as the issuer does: `iss`, `iat` and `exp` are there unless they are set, or unset by `undefined`. */
  readonly sign: (claims: Claims, header?: Claims, key?: IssuerKey) => Promise<string>;
  /** Publishes other keys. */
  readonly publishKeys: (...keys: readonly IssuerKey[]) => Promise<void>;
  /** Publishes anything else. */
  readonly publish: (document: IssuerDocument, reply: Reply) => Promise<void>;
  /** Publishes all as in the beginning. */
  readonly recover: () => Promise<void>;
  /** How often each document was fetched. */
  readonly fetches: () => Promise<Record<IssuerDocument, number>>;
};

type IssuerOptions = {
  readonly keys?: readonly IssuerKey[];
  /** What follows `/issuers/<id>` in the issuer. */
  readonly path?: string;
  readonly id?: string;
  /** Where the issuers are; without it, where the tests of the Worker have them. */
  readonly issuersUrl?: string;
};

/** How long a token lives, in seconds. */
export const TOKEN_LIFE = 600;

const ready = new Map<string, Promise<IssuerKey>>();

/** A key that the tests of one file share, under its own id. */
export function sharedKey(alg: string, kid = `${alg}-key`): Promise<IssuerKey> {
  const key = ready.get(kid) ?? createIssuerKey(alg, kid);
  ready.set(kid, key);
  return key;
}

async function createIssuerKey(alg: string, kid: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), alg, kid, use: "sig" } };
}

/** Sets up a new issuer, with one RSA key unless others are given. */
export async function createTestIssuer(options: IssuerOptions = {}): Promise<TestIssuer> {
  const { id = crypto.randomUUID(), path = "", issuersUrl = inject("issuersUrl") } = options;
  const keys = options.keys ?? [await sharedKey("RS256")];
  const issuer = `${issuersUrl}/issuers/${id}${path}`;
  const jwksUri = `${issuersUrl}/issuers/${id}/keys`;

  async function publish(document: IssuerDocument, reply: Reply): Promise<void> {
    const body = JSON.stringify(reply);
    const response = await fetch(`${issuersUrl}/control/${id}/${document}`, { method: "PUT", body });
    if (!response.ok) throw new Error(`The issuer was not set up: ${response.status}`);
  }
  const publishKeys = (...published: readonly IssuerKey[]) => publish("keys", documentOf(keySetOf(published)));
  async function recover(): Promise<void> {
    await publish("discovery", documentOf({ issuer, jwks_uri: jwksUri, id_token_signing_alg_values_supported: [] }));
    await publishKeys(...keys);
  }

  await recover();
  return {
    issuer,
    jwksUri,
    keys,
    publish,
    publishKeys,
    recover,
    async sign(claims, header, key = keys[0]) {
      if (key === undefined) throw new Error("The issuer has no key to sign with.");
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ iss: issuer, iat: now, exp: now + TOKEN_LIFE, ...claims })
        .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "JWT", ...header })
        .sign(key.privateKey);
    },
    async fetches() {
      const response = await fetch(`${issuersUrl}/control/${id}`);
      return (await response.json()) as Record<IssuerDocument, number>; // the shape of the control API
    },
  };
}

/** A JSON document, published. */
export function documentOf(content: unknown): Reply {
  return { headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };
}

function keySetOf(keys: readonly IssuerKey[]): JSONWebKeySet {
  return { keys: keys.map(({ jwk }) => jwk) };
}
