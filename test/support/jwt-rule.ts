import type { JwtRule } from "../../src/core/auth/caller.ts";

/** A rule for the JWTs of one issuer, without claims beside the audience. */
export const JWT_RULE: JwtRule = {
  kind: "jwt",
  issuer: "https://id.example.com",
  jwksUri: undefined,
  audience: "api",
  claims: new Map(),
  userIdClaim: "sub",
};
