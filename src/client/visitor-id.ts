const STORAGE_KEY = "coze-token-worker.visitor";

/** For pages that may not store anything, such as those in sandboxed frames. */
let idOfPage: string | undefined;

/**
 * Returns the random id of this visitor: 128 bits as four numbers from `localStorage`, where it is written first if need
 * be. Without a usable `localStorage` the id lives as long as the page.
 * @throws ReferenceError where the runtime has no `crypto`.
 */
export function visitorId(): string {
  try {
    const stored = localStorage.getItem(STORAGE_KEY);
    if (stored && /^\d+(-\d+){3}$/.test(stored)) return stored;
  } catch {
    // The id of the page serves.
  }
  // Not randomUUID, which only pages with https have.
  idOfPage ??= crypto.getRandomValues(new Uint32Array(4)).join("-");
  try {
    localStorage.setItem(STORAGE_KEY, idOfPage);
  } catch {
    // The id of the page serves.
  }
  return idOfPage;
}
