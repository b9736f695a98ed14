import { type Finding, failed, passed } from "../lib/finding.ts";
import { DOCTOR_USER } from "./service-access-check.ts";
import type { Send, ServiceResponse } from "./service-client.ts";

/** A page that nobody has allowed: the name cannot exist (RFC 6761 §6.4). */
const FOREIGN_ORIGIN = "https://coze-token-worker-doctor.invalid";

/** What pages send with a request for a token. `Authorization` has to be allowed by its name (Fetch Standard). */
const REQUEST_HEADERS = ["authorization", "content-type", "x-user-id"];

/**
 * Checks what browsers are told: pages of an allowed origin may call, others only if all may. A page can send `POST /`
 * without a preflight, so that each of the two has to be right.
 */
export async function checkCors(send: Send, origin: string, restrictsOrigins: boolean): Promise<readonly Finding[]> {
  const [own, foreign] = [await callFrom(send, origin), await callFrom(send, FOREIGN_ORIGIN)];
  return [checkAllowed(own), checkForeign(foreign, restrictsOrigins)];
}

/** What a page of an origin gets. */
type PageCall = { readonly origin: string; readonly preflight: ServiceResponse; readonly post: ServiceResponse };

async function callFrom(send: Send, origin: string): Promise<PageCall> {
  const preflight = await send("OPTIONS", "/", {
    Origin: origin,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": REQUEST_HEADERS.join(","),
  });
  return { origin, preflight, post: await send("POST", "/", { Origin: origin, ...DOCTOR_USER }) };
}

function checkAllowed({ origin, preflight, post }: PageCall): Finding {
  const issue = issueWithPreflight(preflight, origin) ?? issueWithPost(post, origin);
  if (issue === undefined) return passed("CORS", `pages of ${origin} may call`);
  const hint = `Add ${origin} to ALLOWED_ORIGINS, and deploy. If it is there: remove the rule that changes headers.`;
  return failed("CORS", `pages of ${origin} may not call: ${issue}`, hint);
}

function issueWithPreflight({ status, headers }: ServiceResponse, origin: string): string | undefined {
  if (status >= 300) return `the preflight gets ${status}`;
  if (!isReadable(headers, origin)) return "the preflight has no Access-Control-Allow-Origin for them";
  const allowed = (headers.get("Access-Control-Allow-Headers") ?? "").toLowerCase().split(/\s*,\s*/);
  const isAllowed = (name: string) => allowed.includes(name) || (name !== "authorization" && allowed.includes("*"));
  const missing = REQUEST_HEADERS.filter((name) => !isAllowed(name));
  return missing.length === 0 ? undefined : `the preflight does not allow the header ${missing.join(", ")}`;
}

function issueWithPost({ status, headers }: ServiceResponse, origin: string): string | undefined {
  if (status === 403) return "POST / gets 403";
  return isReadable(headers, origin) ? undefined : "POST / has no Access-Control-Allow-Origin for them";
}

function isReadable(headers: Headers, origin: string): boolean {
  return ["*", origin].includes(headers.get("Access-Control-Allow-Origin") ?? "");
}

function checkForeign({ origin, preflight, post }: PageCall, restrictsOrigins: boolean): Finding {
  const name = "CORS, foreign page";
  const isPreflightAllowed = preflight.status < 300 && isReadable(preflight.headers, origin);
  if (!isPreflightAllowed && !isReadable(post.headers, origin) && post.status >= 400) {
    return passed(name, `refused with ${post.status}`);
  }
  if (!restrictsOrigins) return passed(name, "pages of every origin may call", "List your pages in ALLOWED_ORIGINS.");
  const detail = `may call, though ALLOWED_ORIGINS in wrangler.toml lists origins: POST / gets ${post.status}`;
  return failed(name, detail, "Deploy: the service has other settings.");
}
