import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { connect } from "node:tls";
import { type Finding, failed, passed } from "../lib/finding.ts";
import { isLoopbackHost } from "../lib/loopback-host.ts";
import { networkErrorCode } from "../lib/network-error.ts";

const TIMEOUT_MS = 10_000;

/** Cloudflare and Coze renew weeks before the end. */
const MIN_CERTIFICATE_DAYS = 7;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Checks that a host has an address, and a certificate that is valid and stays so. The second only after the first.
 * `advice` says what else to look at when it cannot be reached.
 */
export async function checkNetwork(what: string, url: URL, now: number, advice: string): Promise<readonly Finding[]> {
  const dns = await checkDns(`${what}: DNS`, url, advice);
  const findings = dns.ok ? [dns, await checkTls(`${what}: TLS`, url, now, advice)] : [dns];
  return findings.map((finding) => ({ ...finding, topic: "network" }));
}

async function checkDns(name: string, { hostname }: URL, advice: string): Promise<Finding> {
  try {
    const addresses = await lookup(hostname.replace(/^\[|\]$/g, ""), { all: true });
    const evidence = addresses.map(({ address }) => address).join(", ");
    return passed(name, `${hostname} has an address`, "", evidence);
  } catch (error) {
    const detail = `${hostname} has no address (${networkErrorCode(error)})`;
    return failed(name, detail, `Check the host name, and the DNS of this machine. ${advice}`);
  }
}

async function checkTls(name: string, url: URL, now: number, advice: string): Promise<Finding> {
  if (url.protocol === "http:") {
    if (isLoopbackHost(url.hostname)) return passed(name, "none, on this machine");
    return failed(name, "none: everyone on the way can read tokens", `Use https://${url.host}/`);
  }
  try {
    const days = Math.floor(((await readCertificateEnd(url)) - now) / DAY_MS);
    const detail = `the certificate is valid for ${days} days`;
    if (days >= MIN_CERTIFICATE_DAYS) return passed(name, detail);
    return failed(name, detail, "Renew the certificate: its own renewal has not worked.");
  } catch (error) {
    const detail = `no connection to ${url.host} with a valid certificate (${networkErrorCode(error)})`;
    return failed(name, detail, `${advice} Behind a company proxy, set NODE_EXTRA_CA_CERTS.`);
  }
}

/** When the certificate ends, in Unix milliseconds. Rejects when it is not valid for the host. */
function readCertificateEnd({ hostname, port }: URL): Promise<number> {
  const host = hostname.replace(/^\[|\]$/g, ""); // of an IPv6 address
  return new Promise((resolve, reject) => {
    const servername = isIP(host) === 0 ? host : ""; // an address is no server name (RFC 6066, section 3)
    const socket = connect({ host, port: Number(port || 443), servername, timeout: TIMEOUT_MS });
    socket.once("secureConnect", () => {
      resolve(Date.parse(socket.getPeerCertificate().valid_to));
      socket.destroy();
    });
    socket.once("timeout", () => socket.destroy(new Error("timeout")));
    socket.once("error", reject);
  });
}
