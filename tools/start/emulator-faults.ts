import type { LocalFault } from "../../src/console/local-types.ts";
import { isLoopbackHost } from "./local-access.ts";

/** The emulator is on this machine. */
const TIMEOUT_MS = 1000;

/** An exchange makes three attempts; two that get no response use up its time. */
const ATTEMPTS = 3;
const SILENT_ATTEMPTS = 2;

const FAULTS = {
  unavailable: { times: ATTEMPTS, response: { status: 503, body: {} } },
  busy: { times: ATTEMPTS, response: { status: 429, body: {} } },
  slow: { times: 1, delay_ms: 3000 },
  silent: { times: SILENT_ATTEMPTS, hang: true },
  dropped: { times: ATTEMPTS, drop: true },
  "unknown-key": {
    times: 1,
    response: {
      status: 401,
      body: {
        error_code: "invalid_client",
        error_message: "invalid jwt: kid not been registred",
        error: "invalid_client",
      },
    },
  },
  "not-json": { times: 1, response: { headers: { "Content-Type": "text/html" }, body: "<h1>Welcome</h1>" } },
} satisfies Record<LocalFault, object>;

/** Tells whether a value is the name of a fault. */
export function isLocalFault(value: unknown): value is LocalFault {
  return typeof value === "string" && Object.hasOwn(FAULTS, value);
}

/** The faults of one app at an emulator. */
export type EmulatorFaults = {
  /** How many are armed; `undefined` if there is no emulator. */
  readonly count: () => Promise<number | undefined>;
  readonly arm: (fault: LocalFault) => Promise<void>;
  readonly disarm: () => Promise<void>;
};

/** Finds the emulator that a token endpoint on this machine belongs to; `undefined` for any other endpoint. */
export function emulatorFaultsFor(tokenEndpoint: URL, clientId: string): EmulatorFaults | undefined {
  if (!isLoopbackHost(tokenEndpoint.hostname)) return undefined;
  const url = new URL("/emulator/faults", tokenEndpoint);
  const appUrl = new URL(`?client_id=${encodeURIComponent(clientId)}`, url);

  return {
    async count() {
      const response = await send(appUrl, "GET").catch(() => undefined);
      if (!response?.ok) return undefined;
      const { faults } = await response.json<{ readonly faults: readonly unknown[] }>();
      return faults.length;
    },
    async arm(fault) {
      await send(url, "POST", { client_id: clientId, ...FAULTS[fault] });
    },
    async disarm() {
      await send(appUrl, "DELETE");
    },
  };
}

function send(url: URL, method: string, body?: object): Promise<Response> {
  return fetch(url, { method, ...(body && { body: JSON.stringify(body) }), signal: AbortSignal.timeout(TIMEOUT_MS) });
}
