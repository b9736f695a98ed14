// Imported when the first document arrives: most isolates never need zod.
import type { JSONWebKeySet } from "jose";
import * as z from "zod/mini";

const discoveryDocument = z.object({ issuer: z.string(), jwks_uri: z.string() });
const keySetDocument = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

/** Checks the metadata of an issuer (OpenID Connect Discovery §3) for what is read from it; throws for anything else. */
export function parseDiscoveryDocument(document: unknown): z.infer<typeof discoveryDocument> {
  return discoveryDocument.parse(document);
}

/** Checks the form of a key set (RFC 7517 §5); throws for anything else. */
export function parseKeySetDocument(document: unknown): JSONWebKeySet {
  return keySetDocument.parse(document) as JSONWebKeySet; // the import of a key checks the rest of it
}
