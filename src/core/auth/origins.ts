import { invalid, type Parsed } from "../issue.ts";

/** Which web origins (RFC 6454) may read a response: all, or those that match a rule. */
export type AllowedOrigins = "*" | readonly OriginRule[];

/** `https://app.example.com`, or with a wildcard every host below one, however deep: `https://*.example.com`. */
export type OriginRule =
  | { readonly origin: string }
  | { readonly beforeHost: `${string}://`; readonly hostSuffix: `.${string}` };

/** One or more DNS labels: what a wildcard stands for. */
const HOST_LABELS = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/**
 * Tells whether pages of an origin may use the service. Its own pages always may; `ownOrigin` is `undefined` for a request
 * with an invalid Host.
 */
export function isAllowedOrigin(origin: string, ownOrigin: string | undefined, allowed: AllowedOrigins): boolean {
  return allowed === "*" || origin === ownOrigin || allowed.some((rule) => matchesRule(origin, rule));
}

/** Tells whether some page is allowed by both. The service's own pages, which always are, do not count. */
export function shareOrigin(a: AllowedOrigins, b: AllowedOrigins): boolean {
  return a === "*" || b === "*" || a.some((rule) => b.some((other) => overlap(rule, other)));
}

/**
 * Parses a comma-separated list of origins. A trailing slash, as copied from an address bar, is taken off.
 * @returns the rules, or an issue with the first entry that is not an origin.
 */
export function parseAllowedOrigins(list: string): Parsed<AllowedOrigins> {
  if (list === "*") return { value: "*" };

  const rules: OriginRule[] = [];
  for (const [index, entry] of list.split(",").entries()) {
    const rule = parseRule(entry.trim().toLowerCase().replace(/\/$/, ""));
    if (rule === undefined) {
      return invalid(
        `must be * alone, or a comma-separated list of origins such as https://app.example.com or https://*.example.com; entry ${index + 1} is neither`,
      );
    }
    rules.push(rule);
  }
  return { value: rules };
}

function parseRule(entry: string): OriginRule | undefined {
  const [, scheme, wildcard, rest] = /^(https?):\/\/(\*\.)?([^*]+)$/.exec(entry) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;

  const origin = parseOrigin(`${scheme}://${rest}`);
  if (origin === undefined) return undefined;
  if (wildcard === undefined) return { origin };

  const host = origin.slice(origin.indexOf("//") + 2);
  // Everyone can have a host below a single label such as com.
  if (!host.includes(".")) return undefined;
  return { beforeHost: `${scheme}://`, hostSuffix: `.${host}` };
}

/** The origin, as browsers send it, of a string that is an origin and nothing else. */
function parseOrigin(value: string): string | undefined {
  if (!URL.canParse(value)) return undefined;
  const { origin, href } = new URL(value);
  return href === `${origin}/` ? origin : undefined;
}

function matchesRule(origin: string, rule: OriginRule): boolean {
  if ("origin" in rule) return origin === rule.origin;
  if (!origin.startsWith(rule.beforeHost) || !origin.endsWith(rule.hostSuffix)) return false;
  return HOST_LABELS.test(origin.slice(rule.beforeHost.length, -rule.hostSuffix.length));
}

function overlap(a: OriginRule, b: OriginRule): boolean {
  if ("origin" in a) return matchesRule(a.origin, b);
  if ("origin" in b) return matchesRule(b.origin, a);
  // Of two wildcards that overlap, one stands for hosts that the other stands for as well.
  return a.beforeHost === b.beforeHost && (a.hostSuffix.endsWith(b.hostSuffix) || b.hostSuffix.endsWith(a.hostSuffix));
}
