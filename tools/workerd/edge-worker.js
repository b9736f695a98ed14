/**
 * Stands before a Worker as Cloudflare's edge does: when the client leaves, the request's context ends at once, and
 * with it all of its work that was not handed to waitUntil. Raw workerd does not notice that a client of its own
 * socket has left, so here the client says in a header after how many milliseconds it will have.
 */
const edgeWorker = {
  async fetch(request, { worker }) {
    const leaveAfterMs = Number(request.headers.get("X-Leave-After"));
    if (!leaveAfterMs) return worker.fetch(request);

    const client = new AbortController();
    const answer = worker.fetch(request, { signal: client.signal }).catch(() => undefined);
    await scheduler.wait(leaveAfterMs);
    client.abort();
    await answer;
    return new Response(null, { status: 499 });
  },
};

// biome-ignore lint/style/noDefaultExport: workerd looks for the default export of a module.
export default edgeWorker;
