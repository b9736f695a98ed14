/** The period of the limiters in wrangler.toml, and so their Retry-After: a binding does not tell its own. */
export const RATE_LIMIT_PERIOD_SECONDS = 60;
