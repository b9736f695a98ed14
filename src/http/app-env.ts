import type { Caller } from "../core/caller.ts";
import type { Grant } from "../core/grant.ts";
import type { TokenAnswer } from "../core/token-service.ts";
import type { AnswerHeaders } from "./answer.ts";

/** What handlers and middleware find in the context of one request. */
export type AppEnv = {
  /** When the request arrived, in Unix milliseconds: before the settings were read, where it was the first. */
  readonly Bindings: { readonly startedAt: number };
  readonly Variables: {
    requestId: string;
    /** The headers of the answer, as far as they are known. */
    headers: AnswerHeaders;
    /** Who asks for a token, what they are granted, and what they get, as far as the request has come. */
    caller?: Caller;
    grant?: Grant;
    answer?: TokenAnswer;
  };
};
