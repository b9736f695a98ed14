/** Counts one more of something under a key, and tells whether that is within the limit. It never fails. */
export type CountWithin = (key: string) => Promise<boolean>;

/** The period of the limiters in wrangler.toml, and so their Retry-After: a binding does not tell its own. */
export const RATE_LIMIT_PERIOD_SECONDS = 60;
