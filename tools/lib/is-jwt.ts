/** Whether a credential is a JWT, which names its user: three parts (RFC 7515, section 3.1). An API key is one part. */
export function isJwt(credential: string): boolean {
  return credential.split(".").length === 3;
}
