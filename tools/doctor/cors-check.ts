import { type Finding, failed, passed } from "../lib/finding.ts";
import type { Send } from "./service-client.ts";

/** A page that nobody has allowed: the name cannot exist (RFC 6761 §6.4). */
const FOREIGN_ORIGIN = "https://coze-token-worker-doctor.invalid";

/** Checks what browsers are told: pages of an allowed origin may call, others only if all may. */
export async function checkCors(send: Send, origin: string, restrictsOrigins: boolean): Promise<readonly Finding[]> {
  const [own, foreign] = [await preflight(send, origin), await preflight(send, FOREIGN_ORIGIN)];
  return [checkAllowed(origin, own), checkForeign(foreign, restrictsOrigins)];
}

type Preflight = { readonly status: number; readonly isAllowed: boolean };

async function preflight(send: Send, origin: string): Promise<Preflight> {
  const { status, headers } = await send("OPTIONS", "/", {
    Origin: origin,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,x-user-id",
  });
  const allowed = headers.get("Access-Control-Allow-Origin");
  const isAllowed = status < 300 && (allowed === "*" || allowed === origin);
  return { status, isAllowed: isAllowed && /\bPOST\b/.test(headers.get("Access-Control-Allow-Methods") ?? "") };
}

function checkAllowed(origin: string, { status, isAllowed }: Preflight): Finding {
  if (isAllowed) return passed("CORS", `pages of ${origin} may call`);
  return failed(
    "CORS",
    `pages of ${origin} may not call: the preflight gets ${status}`,
    `Add ${origin} to ALLOWED_ORIGINS, and deploy.`,
  );
}

function checkForeign({ status, isAllowed }: Preflight, restrictsOrigins: boolean): Finding {
  const name = "CORS, foreign page";
  if (!isAllowed) return passed(name, `refused with ${status}`);
  if (restrictsOrigins) {
    return failed(
      name,
      "may call, though ALLOWED_ORIGINS in wrangler.toml lists origins",
      "Deploy: the service has other settings.",
    );
  }
  return passed(name, "pages of every origin may call", "List your pages in ALLOWED_ORIGINS.");
}
