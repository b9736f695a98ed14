import { inject } from "vitest";
import { createTestKey, type TestKey } from "./keys.ts";

/** One token request as the emulator received it. */
export type Exchange = {
  readonly status: number | null;
  readonly path: string;
  readonly request_headers: Readonly<Record<string, string>>;
  readonly assertion: {
    readonly header: Readonly<Record<string, unknown>>;
    readonly claims: Readonly<Record<string, unknown>>;
  };
  readonly body: Readonly<Record<string, unknown>>;
};

/** A fault of the emulator, as its documentation has it. */
export type Fault = {
  readonly times?: number | null;
  readonly delay_ms?: number;
  readonly hang?: true;
  readonly drop?: true;
  readonly response?: {
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly body_bytes?: number;
    readonly after?: boolean;
  };
};

/** An app registered at the emulator, with the settings that a Worker needs to speak for it. */
export type TestApp = {
  readonly clientId: string;
  readonly settings: Readonly<Record<string, string>>;
  /** The token requests received for this app, in order. */
  readonly exchanges: () => Promise<readonly Exchange[]>;
  /** Makes the emulator fail for this app. */
  readonly arm: (fault: Fault) => Promise<void>;
  /** Calls the control API of the emulator; `path` is relative to `/emulator`. */
  readonly control: (method: string, path: string, body?: unknown) => Promise<unknown>;
};

let key: Promise<TestKey> | undefined;

/** Registers a new app, with a key that the tests of one file share. */
export async function createTestApp(): Promise<TestApp> {
  key ??= createTestKey();
  const { privatePem, publicPem } = await key;
  const clientId = String(crypto.getRandomValues(new Uint32Array(1))[0]);
  const kid = `kid-of-${clientId}`;
  const emulatorUrl = inject("emulatorUrl");

  async function control(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${emulatorUrl}/emulator${path}`, {
      method,
      ...(body !== undefined && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} returned ${response.status}: ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  }

  await control("POST", "/apps", { client_id: clientId, keys: [{ kid, public_key: publicPem }] });
  return {
    clientId,
    settings: {
      CLIENT_ID: clientId,
      KID: kid,
      PRIVATE_KEY: privatePem,
      TOKEN_ENDPOINT: `${emulatorUrl}/api/permission/oauth2/token`,
    },
    async exchanges() {
      const body = await control("GET", `/exchanges?client_id=${clientId}`);
      return (body as { exchanges: Exchange[] }).exchanges; // the emulator's documented shape
    },
    async arm(fault) {
      await control("POST", "/faults", { client_id: clientId, ...fault });
    },
    control,
  };
}
