const STORAGE_KEY = "coze-token-worker.visitor";

/** Stays the same as long as the page lives, also where two new tabs have stored different ids at the same moment. */
let pageId: string | undefined;

/**
 * Returns the random id of this visitor: 128 bits as four numbers from `localStorage`, and stores it on first use. Without a usable `localStorage`, as in a sandboxed frame, the id lives as long as the page.
 * @throws ReferenceError where the runtime has no `crypto`.
 */
export function getVisitorId(): string {
  pageId ??= storedId() ?? storeNewId();
  return pageId;
}

function storedId(): string | undefined {
  try {
    const stored = localStorage.getItem(STORAGE_KEY);
    return stored && /^\d+(-\d+){3}$/.test(stored) ? stored : undefined;
  } catch {
    return undefined;
  }
}

function storeNewId(): string {
  // Not randomUUID, which only pages with https have.
  const id = crypto.getRandomValues(new Uint32Array(4)).join("-");
  try {
    localStorage.setItem(STORAGE_KEY, id);
  } catch {
    // The id of the page serves.
  }
  return id;
}
