/**
 * What the life of a token allows, stated a second time: nothing here comes from src, so that a test can compare the two.
 * Times are Unix seconds. Pure.
 */
export type Life = { readonly issuedAt: number; readonly expiresAt: number };

/** A token is fresh while more than a tenth of its life is left, or more than a minute of a short one, or than half. */
export function isFresh({ issuedAt, expiresAt }: Life, nowSeconds: number): boolean {
  return expiresAt - nowSeconds > reserveFor(expiresAt - issuedAt);
}

/** A token that cannot be renewed is served until 5 seconds before its end. */
export function isUsable({ expiresAt }: Life, nowSeconds: number): boolean {
  return expiresAt - nowSeconds >= 5;
}

/** For so many seconds a new token is not renewed: three quarters of its life, or as long as it is fresh. */
export function secondsBeforeRenewal(lifetimeSeconds: number): number {
  return Math.min(0.75 * lifetimeSeconds, lifetimeSeconds - reserveFor(lifetimeSeconds));
}

function reserveFor(lifetimeSeconds: number): number {
  if (lifetimeSeconds > 600) return lifetimeSeconds / 10;
  return lifetimeSeconds > 120 ? 60 : lifetimeSeconds / 2;
}
