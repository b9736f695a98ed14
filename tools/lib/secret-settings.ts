/** Settings that must not be in wrangler.toml. */
export const SECRET_SETTINGS: readonly string[] = ["PRIVATE_KEY", "PREVIOUS_PRIVATE_KEY", "TURNSTILE_SECRET_KEY"];
