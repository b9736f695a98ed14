/**
 * The network that a client's address is counted by: an IPv4 address as it is, an IPv6 address by its first 64 bits
 * (RFC 4291 §2.5.4), as who has one of them has them all. What is no address is counted as it is.
 */
export function clientNetwork(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;

  const [before = "", after] = address.toLowerCase().split("::");
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
