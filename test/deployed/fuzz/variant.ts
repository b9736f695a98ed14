import type { Part } from "./part.ts";

/** A Worker that gets the requests: one with open access, or one with an API key and a list of origins. */
export type Variant = { readonly name: "open" | "closed"; readonly port: number };

export const API_KEY = "q3M0d8J5mWlQWlXz7dYy1Nw3Yk3p8r0T5uV2xZ4aBcE";
export const ALLOWED_ORIGINS = "https://app.example.com, https://*.example.org";

/** The fit of an origin or a credential for a variant: the open one reads neither, so only a broken header is not right. */
export function partFor({ name }: Variant, part: Part): Part {
  if (name === "closed" || part.fit !== "wrong") return part;
  const isPlain = part.lines.every((line) => /^[\x20-\x7e]*$/.test(line));
  return { ...part, fit: isPlain ? "right" : "either" };
}
