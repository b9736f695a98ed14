import * as z from "zod";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { setupCommand } from "../lib/setup-command.ts";
import type { Send, ServiceResponse } from "./service-client.ts";

/** Has no conversations, and is the same each time, so that a cached token can serve the check. */
const USER_ID = "coze-token-worker-doctor";

const token = z.strictObject({
  access_token: z.string().min(1),
  expires_in: z.int().positive(),
  token_type: z.literal("Bearer"),
});

const refusal = z.object({
  error: z.string(),
  error_description: z.string(),
  coze: z.object({ error_message: z.string().optional(), log_id: z.string().optional() }).optional(),
});

export type AccessOptions = {
  /** Of a caller: an API key or a JWT. */
  readonly credential?: string | undefined;
  /** The environment of wrangler.toml that was deployed, if it is known. */
  readonly env?: string | undefined;
};

/** Checks that the service is as open as it says, and that those who may have a token get one. */
export async function checkAccess(
  send: Send,
  access: "open" | "closed",
  { credential, env }: AccessOptions,
): Promise<readonly Finding[]> {
  const response = await send("POST", "/", { "X-User-ID": USER_ID });
  if (access === "open") {
    const hint = `If not everyone should get tokens: ${setupCommand(env, "--access key")}, or --access issuer`;
    return [passed("access", "open: everyone who knows the URL gets tokens of the app", hint), checkToken(response)];
  }
  return [checkClosed(response), credential === undefined ? notRequested() : await checkCredential(send, credential)];
}

function checkClosed({ status, body }: ServiceResponse): Finding {
  if (status >= 400 && status < 500)
    return passed("access", `closed: without a credential there is ${status}, and no token`);
  const { error_description = "" } = refusal.safeParse(body).data ?? {};
  const detail = `/health says closed, but a request without a credential gets ${status}. ${error_description}`;
  return failed("access", detail.trim(), "Look at CALLERS of the deployed Worker, and deploy again.");
}

function notRequested(): Finding {
  return passed("token", "none was requested", "To request one, put an API key or a JWT of a caller into CREDENTIAL.");
}

async function checkCredential(send: Send, credential: string): Promise<Finding> {
  // A JWT names its user.
  const user: Record<string, string> = credential.split(".").length === 3 ? {} : { "X-User-ID": USER_ID };
  return checkToken(await send("POST", "/", { Authorization: `Bearer ${credential}`, ...user }));
}

/** Judges the response to a request that should get a token. */
function checkToken({ status, headers, body }: ServiceResponse): Finding {
  const issued = token.safeParse(body);
  if (status === 200 && issued.success) {
    const left = issued.data.expires_in - Math.floor(Date.now() / 1000);
    return passed("token", `POST / has one, for ${left} s`, "", headers.get("Cache-Status") ?? "no Cache-Status");
  }
  const refused = refusal.safeParse(body).data;
  if (refused === undefined) {
    const detail = `POST / responds with ${status}, and neither a token nor an error of this service`;
    return failed("token", detail, "Remove the Cloudflare rule, page or proxy that replaces responses.");
  }
  const { error, error_description, coze } = refused;
  const said = coze?.error_message === undefined ? "" : ` Coze says: ${coze.error_message}`;
  const hint = error.startsWith("upstream_")
    ? "Run npm run doctor -- --live with the same settings."
    : error === "invalid_client"
      ? "Put an API key or a JWT of a deployed caller into CREDENTIAL."
      : "README.md, Errors, says what to do.";
  return failed(
    "token",
    `${status} ${error}: ${error_description}${said}`,
    hint,
    coze?.log_id && `log id ${coze.log_id}`,
  );
}
