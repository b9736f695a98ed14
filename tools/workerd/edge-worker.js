/**
 * Runs in front of a Worker as Cloudflare's edge does: when the client leaves, the request's context ends at once, and
 * with it all of its work that was not passed to `waitUntil`. Raw workerd does not notice that a client of its own
 * socket has left, so here a header says after how many milliseconds the client leaves.
 */
const edgeWorker = {
  async fetch(request, { worker }) {
    const leaveAfterMs = Number(request.headers.get("X-Leave-After"));
    if (!leaveAfterMs) return worker.fetch(request);

    const client = new AbortController();
    const response = worker.fetch(request, { signal: client.signal }).catch(() => undefined);
    await scheduler.wait(leaveAfterMs);
    client.abort();
    await response;
    return new Response(null, { status: 499 });
  },
};

// biome-ignore lint/style/noDefaultExport: workerd looks for the default export of a module.
export default edgeWorker;
