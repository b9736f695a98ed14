// Imported when the first response arrives: most isolates never need zod.
import * as z from "zod/mini";

const siteverifyResponse = z.object({
  success: z.boolean(),
  hostname: z.optional(z.string()),
  action: z.optional(z.string()),
  "error-codes": z.optional(z.array(z.string())),
});

/** What Turnstile says of a visitor (Cloudflare: "Server-side validation" of Turnstile). */
export type SiteverifyResponse = z.infer<typeof siteverifyResponse>;

/** Checks a response of Turnstile; throws for anything else. */
export function parseSiteverifyResponse(document: unknown): SiteverifyResponse {
  return siteverifyResponse.parse(document);
}
