import type { Caller } from "./caller.ts";

/** Where a request comes from, as Cloudflare says; `undefined` on a developer's machine. */
export type ClientSource = {
  /** `CF-Connecting-IP`: an IP address. */
  readonly address: string | undefined;
  /** `CF-Worker`: the zone of the Worker that sent the request. All Workers of other zones have one address. */
  readonly worker: string | undefined;
};

/** From where the Workers of other zones send their requests (Cloudflare: "HTTP headers", CF-Connecting-IP). */
const WORKERS_NETWORK = clientNetwork("2a06:98c0:3600::103");

/** The key that a request is counted under: the user of a named caller, or else the client's network. */
export function requestCountKey(caller: Caller, sessionName: string | undefined, source: () => ClientSource): string {
  return `${caller.name} ${isNamed(caller) ? (sessionName ?? "") : networkKey(source())}`;
}

/** The key that an exchange is counted under: as for a request, and by user for every caller. */
export function exchangeCountKey(caller: Caller, sessionName: string | undefined, source: () => ClientSource): string {
  const key = requestCountKey(caller, sessionName, source);
  return isNamed(caller) ? key : `${key} ${sessionName ?? ""}`;
}

/** The key that a refused credential is counted under. No caller's name begins so. */
export function refusalCountKey(source: ClientSource): string {
  return `- ${networkKey(source)}`;
}

/** Whether the credential identifies the caller. */
function isNamed({ credentialRule }: Caller): boolean {
  return credentialRule.kind === "key" || credentialRule.kind === "jwt";
}

/** Elsewhere a client could send the header itself, and get a new count with each value. */
function networkKey({ address = "", worker }: ClientSource): string {
  const network = clientNetwork(address);
  return network === WORKERS_NETWORK && worker !== undefined ? `${network} ${worker}` : network;
}

/**
 * The network that a client's address is counted by: an IPv4 address as it is, an IPv6 address by its first 64 bits
 * (RFC 4291 §2.5.4), since a client that has one of them has them all. Anything else is counted as it is.
 */
export function clientNetwork(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;

  const [before, after] = address.toLowerCase().split("::") as [string, string?]; // it splits into one string at least
  const head = groupsIn(before);
  const zeros = after === undefined ? 0 : 8 - head.length - groupsIn(after).length;
  const groups = [...head, ...Array.from({ length: Math.max(zeros, 0) }, () => "0"), ...groupsIn(after ?? "")];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** The groups without leading zeros; an IPv4 address at the end stands for two. */
function groupsIn(part: string): string[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => (group.includes(".") ? ["v4", "v4"] : [group.replace(/^0+(?=.)/, "")]));
}
