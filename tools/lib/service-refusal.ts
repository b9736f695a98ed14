import * as z from "zod";

/** More than any message of this service, or of Coze. */
const MAX_MESSAGE_LENGTH = 500;
const excerpt = z.string().transform((text) => text.slice(0, MAX_MESSAGE_LENGTH));

const serviceRefusal = z.object({
  error: excerpt,
  error_description: excerpt,
  coze: z.object({ error_message: excerpt.optional(), log_id: z.string().optional() }).optional(),
});

/** The error that a service has sent instead of a token: README.md, Errors. */
export type ServiceRefusal = z.infer<typeof serviceRefusal>;

/** Parses the body of a response; `undefined` if it is no error of this service. Long messages are cut. */
export function parseServiceRefusal(body: unknown): ServiceRefusal | undefined {
  return serviceRefusal.safeParse(body).data;
}

/** Describes a refusal with the status of its response: the service's sentence, then Coze's. */
export function describeServiceRefusal(status: number, { error, error_description, coze }: ServiceRefusal): string {
  const said = coze?.error_message === undefined ? "" : ` Coze says: ${coze.error_message}`;
  return `${status} ${error}: ${error_description}${said}`;
}
