/** How often a hanging request sets its timer again. */
const HEARTBEAT_MS = 60_000;

/** Waits, and tells whether the client was still there after the whole time. A client that leaves ends the wait. */
export function pause(milliseconds: number, client: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (client.aborted) return resolve(false);

    const timer = setTimeout(finish, milliseconds, true);
    const leave = () => finish(false);
    client.addEventListener("abort", leave, { once: true });

    function finish(stayed: boolean) {
      clearTimeout(timer);
      client.removeEventListener("abort", leave);
      resolve(stayed);
    }
  });
}

/** Resolves when the client has left, and never before. */
export async function departure(client: AbortSignal): Promise<void> {
  // Workers cancels a request that waits for nothing, so this one always has a timer to wait for.
  while (await pause(HEARTBEAT_MS, client));
}

/** A response that breaks off where there is no socket to destroy: its headers arrive, its body fails. */
export function brokenResponse(): Response {
  const body = new ReadableStream({
    start(controller) {
      controller.error(new Error("The emulator dropped this connection, as a fault told it to."));
    },
  });
  return new Response(body);
}
