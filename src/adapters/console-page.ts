/** The page of the console among the static assets. They are asked for a path only; the host means nothing. */
const CONSOLE_PAGE = "https://assets.example/console.html";

/**
 * Creates the function that gets the page of the console from the static assets.
 * @throws from that function: what `findAssets` throws, or an Error if the assets lack the page.
 */
export function createConsolePageFetcher(findAssets: () => Pick<Fetcher, "fetch">): () => Promise<Response> {
  return async function fetchConsolePage() {
    const page = await findAssets().fetch(CONSOLE_PAGE);
    if (!page.ok) throw new Error(`The static assets responded with ${page.status} for the page of the console.`);
    return page;
  };
}
