import type { LocalExplanation, LocalFault, LocalOverview } from "./local-types.ts";

const LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"];

/** What `npm start` adds to the service on a developer's machine. */
export type LocalApi = {
  /** The overview that the page began with. */
  readonly overview: LocalOverview;
  readonly getOverview: () => Promise<LocalOverview | undefined>;
  readonly explain: (credential: string, userId: string) => Promise<LocalExplanation | undefined>;
  readonly arm: (fault: LocalFault) => Promise<void>;
  readonly disarm: () => Promise<void>;
};

/** Finds out whether this page comes from `npm start`; `undefined` if not. A deployed service is never asked. */
export async function findLocalApi(): Promise<LocalApi | undefined> {
  if (!LOOPBACK_HOSTS.includes(location.hostname)) return undefined;
  const overview = await getOverview();
  return (
    overview && {
      overview,
      getOverview,
      explain: (credential, userId) => send("/local/explain", "POST", { credential, userId }),
      arm: (fault) => send("/local/faults", "POST", { fault }),
      disarm: () => send("/local/faults", "DELETE"),
    }
  );
}

function getOverview(): Promise<LocalOverview | undefined> {
  return send("/local/overview", "POST");
}

/** `undefined` if the service does not know the path, or does not respond. */
async function send<Result>(path: string, method: string, body?: object): Promise<Result | undefined> {
  try {
    const response = await fetch(path, { method, ...(body && { body: JSON.stringify(body) }) });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}
