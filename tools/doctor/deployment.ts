import * as z from "zod";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { networkErrorCode } from "../lib/network-error.ts";
import { redact } from "../lib/redact.ts";
import { checkCors } from "./cors-check.ts";
import { checkNetwork } from "./network-check.ts";
import {
  checkServiceAccess,
  requestTokens,
  type ServiceAccessOptions,
  type TokenResponses,
} from "./service-access-check.ts";
import { createSend, type Send, type ServiceResponse } from "./service-client.ts";

/** The highest median of `GET /health` that is no reason to look further. */
const MAX_LATENCY_MS = 1500;
const LATENCY_SAMPLES = 3;

const health = z.looseObject({
  status: z.enum(["ok", "misconfigured"]),
  access: z.enum(["open", "closed"]).optional(),
  cache: z.enum(["kv", "memory"]).optional(),
  version: z.optional(z.unknown()),
  problems: z.array(z.object({ setting: z.string(), problem: z.string() })).optional(),
});
type Health = z.infer<typeof health>;

const serviceError = z.object({ error: z.string(), error_description: z.string(), request_id: z.string() });

/** What the checks of a deployed service may use. */
export type DeploymentOptions = ServiceAccessOptions & {
  /** An origin whose pages may use the service; its own when left out. */
  readonly origin?: string | undefined;
  /** Whether ALLOWED_ORIGINS is meant to keep pages of other origins out. */
  readonly restrictsOrigins: boolean;
};

/** Checks a deployed service from outside, as its clients see it. The few tokens it requests are for one user, and forgotten. */
export async function checkDeployment(url: URL, options: DeploymentOptions): Promise<readonly Finding[]> {
  const network = await checkNetwork("service", url, Date.now(), reachabilityAdvice(url));
  if (network.some(({ ok }) => !ok)) return network;

  const send = createSend(url);
  try {
    const findings = await checkService(url, send, options);
    return [...network, ...findings.map((finding) => withoutSecret(finding, options.credential ?? ""))];
  } catch (error) {
    const detail = `no response from ${url.host} (${networkErrorCode(error)})`;
    return [...network, failed("service", detail, "Check the address, and that the Worker is deployed.")];
  }
}

/** Why a host name that is right may not be reachable. */
function reachabilityAdvice({ hostname }: URL): string {
  if (!hostname.endsWith(".workers.dev")) return "A new custom domain takes some minutes.";
  return "A new address takes some minutes; workers.dev is blocked in some networks, such as those of mainland China.";
}

/** The service has a say in what was found, and was sent the credential. */
function withoutSecret(finding: Finding, secret: string): Finding {
  const { detail, evidence } = finding;
  return {
    ...finding,
    detail: redact(detail, secret),
    ...(evidence !== undefined && { evidence: redact(evidence, secret) }),
  };
}

async function checkService(url: URL, send: Send, options: DeploymentOptions): Promise<readonly Finding[]> {
  const response = await send("GET", "/health");
  const parsed = health.safeParse(response.body);
  if (!parsed.success) {
    const detail = `GET /health responds with ${response.status}, and not as this service does`;
    return [failed("health", detail, "Check the address: does it lead to the Worker of this project?")];
  }

  const { version, access } = parsed.data;
  const tokens = await requestTokens(send, options.credential);
  return [
    checkHealth(parsed.data),
    ...(version === undefined
      ? []
      : [passed("version", typeof version === "string" ? version : JSON.stringify(version))]),
    ...(access === undefined ? [] : checkServiceAccess(tokens, access, options)),
    checkNoStore(tokens),
    checkGet(await send("GET", "/", { Accept: "application/json" })),
    checkErrorShape(await send("GET", "/coze-token-worker-doctor")),
    ...(await checkCors(send, options.origin ?? url.origin, options.restrictsOrigins)),
    checkConsole(await send("GET", "/", { Accept: "text/html" })),
    await checkLatency(send),
  ];
}

function checkHealth({ status, cache, problems = [] }: Health): Finding {
  if (status === "misconfigured") {
    const detail = problems.map(({ setting, problem }) => `${setting} ${problem}`).join("; ");
    return failed("health", `misconfigured: ${detail}`, "Fix these settings, and deploy again.");
  }
  const hint = cache === "memory" ? "Bind a KV namespace as TOKEN_CACHE, so that isolates share tokens." : "";
  return passed("health", `ok, tokens are cached in ${cache === "kv" ? "KV" : "memory only"}`, hint);
}

/** A shared cache would give one client's token to the next, and its refusal to clients that may have a token. */
function checkNoStore({ anonymous, authenticated }: TokenResponses): Finding {
  const missing = new Set([anonymous, ...(authenticated === undefined ? [] : [authenticated])].flatMap(missingNoStore));
  if (missing.size === 0) return passed("no-store", "responses may not be cached");
  return failed(
    "no-store",
    `responses to POST / lack ${[...missing].join(" and ")}`,
    "Remove the Cloudflare rule or proxy that changes headers.",
  );
}

function missingNoStore({ headers }: ServiceResponse): readonly string[] {
  return [
    ...(headers.get("Cache-Control")?.includes("no-store") ? [] : ["Cache-Control: no-store"]),
    ...(headers.get("Pragma")?.includes("no-cache") ? [] : ["Pragma: no-cache"]),
  ];
}

function checkGet({ status, body }: ServiceResponse): Finding {
  const hasToken = typeof body === "object" && body !== null && "access_token" in body;
  if (!hasToken && status >= 400) return passed("GET /", `${status}, and no token`);
  const found = hasToken ? "a token: links and prefetches can take one" : `status ${status}`;
  return failed(
    "GET /",
    `responds with ${found}`,
    "Deploy this project to the address: something else responds there.",
  );
}

function checkErrorShape({ status, body }: ServiceResponse): Finding {
  if (status === 404 && serviceError.safeParse(body).success) {
    return passed("errors", "JSON with error, error_description and request_id");
  }
  const detail = `an unknown path gets ${status}, and not the service's own error`;
  return failed("errors", detail, "Remove the Cloudflare rule, page or proxy that replaces responses.");
}

function checkConsole({ status, headers }: ServiceResponse): Finding {
  if (status === 200 && headers.get("Content-Type")?.includes("text/html")) {
    return passed("console", 'on: GET / has a page for browsers; CONSOLE = "off" removes it');
  }
  if (status === 404) return passed("console", "off");
  return failed("console", `GET / of a browser gets ${status}`, "Deploy with the [assets] of wrangler.toml.");
}

async function checkLatency(send: Send): Promise<Finding> {
  const times: number[] = [];
  for (let sample = 0; sample < LATENCY_SAMPLES; sample += 1) times.push((await send("GET", "/health")).milliseconds);
  times.sort((a, b) => a - b);
  const median = Math.round(times[LATENCY_SAMPLES >> 1] ?? 0);
  const evidence = times.map((time) => `${Math.round(time)} ms`).join(", ");
  const detail = `GET /health takes ${median} ms from here (median of ${LATENCY_SAMPLES})`;
  if (median <= MAX_LATENCY_MS) return passed("latency", detail, "", evidence);
  return failed(
    "latency",
    detail,
    "Try from where your users are. workers.dev is slow or blocked in some networks.",
    evidence,
  );
}
