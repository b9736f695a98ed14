/**
 * Reads the credential of a request: `Authorization: Bearer …` (RFC 6750 §2.1) or the bare value, or else the JWT that
 * Cloudflare Access adds. A header that is there counts, even with nothing in it.
 */
export function credentialOf(headers: Headers): string | undefined {
  const credential = headers.get("Authorization") ?? headers.get("Cf-Access-Jwt-Assertion");
  return credential?.replace(/^Bearer(\s+|$)/i, "");
}
