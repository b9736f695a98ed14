// Pure. No clock, no I/O.

/** The names of this machine. A request for another one was led here by somebody's DNS ("DNS rebinding"). */
const LOOPBACK_HOSTS: ReadonlySet<string | undefined> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Tells whether a host name of a URL is one of this machine. */
export function isLoopbackHost(hostname: string | undefined): boolean {
  return LOOPBACK_HOSTS.has(hostname);
}

/**
 * Says why a request may not use the Worker on a developer's machine, where tokens may be real and any page can send
 * requests; `undefined` when it may. The host must be a loopback one. So must the origin of the page, if there is one,
 * unless `ALLOWED_ORIGINS` is set: then the Worker decides.
 */
export function refusalFor(request: Request, allowedOrigins: unknown): string | undefined {
  // Both: the URL gives the Worker its own origin, and on one of wrangler's ports a client can replace it, but not Host.
  // MF-Original-URL replaces both: what must not be read then requires an Origin, see foreignPageRefusal.
  const urls = [request.url, `http://${request.headers.get("Host") ?? ""}`];
  if (!urls.every((url) => isLoopbackHost(URL.parse(url)?.hostname))) {
    return "npm start serves 127.0.0.1, localhost and [::1] only; this request is for a host of another name.";
  }

  const origin = request.headers.get("Origin");
  if (origin === null || isLoopbackOrigin(origin) || isSet(allowedOrigins)) return undefined;
  return `npm start gives nothing to pages of ${origin} unless ALLOWED_ORIGINS names them.`;
}

/**
 * Says why a request may not use what only the console of `npm start` needs; `undefined` when it may. The origin must be
 * the Worker's own, and a loopback one: pages of other ports of this machine get tokens, but neither settings nor faults.
 */
export function consoleRefusalFor({ headers, url }: Request): string | undefined {
  // A page cannot choose it, and sends it with every method but GET and HEAD: without it, any page may have sent this.
  const origin = headers.get("Origin");
  const isOwn = origin !== null && isLoopbackOrigin(origin) && origin === URL.parse(url)?.origin;
  // Fetch Metadata: not chosen by a page either. Browsers leave it out where the page's host is not a trustworthy one.
  const site = headers.get("Sec-Fetch-Site");
  if (isOwn && (site === null || site === "same-origin")) return undefined;
  return "Only the console of npm start may use this path.";
}

/** Exact, as browsers send it. `null`, the origin of files and sandboxed frames, is not one. */
function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  return url?.origin === origin && isLoopbackHost(url.hostname);
}

/** A blank setting counts as absent, as in the Worker. */
function isSet(setting: unknown): boolean {
  return String(setting ?? "").trim() !== "";
}
