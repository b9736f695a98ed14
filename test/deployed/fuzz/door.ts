/** A Worker to knock at: one that lets in anybody, or one with an API key and a list of origins. */
export type Door = { readonly name: "open" | "closed"; readonly port: number };

export const API_KEY = "q3M0d8J5mWlQWlXz7dYy1Nw3Yk3p8r0T5uV2xZ4aBcE";
export const ALLOWED_ORIGINS = "https://app.example.com, https://*.example.org";
