import type { Exchange } from "./exchange-log.ts";

/** What somebody can do with a running emulator, apart from what the Worker does. */
export type Coze = ReturnType<typeof createCoze>;

/** Creates the client of an emulator. Each function throws when the emulator refuses. */
export function createCoze(url: string) {
  return {
    tokenEndpoint: `${url}/api/permission/oauth2/token`,

    /** Registers an app whose one key goes by several ids. */
    async registerApp(clientId: string, kids: readonly string[], publicKey: string): Promise<void> {
      await control("POST", "/apps", {
        client_id: clientId,
        keys: kids.map((kid) => ({ kid, public_key: publicKey })),
      });
    },

    async addKey(clientId: string, kid: string, publicKey: string): Promise<void> {
      await control("POST", `/apps/${clientId}/keys`, { kid, public_key: publicKey });
    },

    async removeKey(clientId: string, kid: string): Promise<void> {
      await control("DELETE", `/apps/${clientId}/keys/${kid}`);
    },

    /** Puts a fault at the end of the queue, and returns its id. */
    async arm(fault: object): Promise<string> {
      const { id } = (await control("POST", "/faults", fault)) as { id: string }; // the emulator's documented shape
      return id;
    },

    async disarm(): Promise<void> {
      await control("DELETE", "/faults");
    },

    /** Ends all tokens of a user. */
    async revoke(sessionName: string): Promise<void> {
      await control("POST", "/tokens/revoke", { session_name: sessionName });
    },

    /** The exchanges received since the last {@link forgetExchanges}, oldest first. */
    async exchanges(): Promise<readonly Exchange[]> {
      return ((await control("GET", "/exchanges")) as { exchanges: Exchange[] }).exchanges; // as documented
    },

    async forgetExchanges(): Promise<void> {
      await control("DELETE", "/exchanges");
    },

    /** Tells whether a token is good for a request to Coze. */
    async accepts(token: string): Promise<boolean> {
      const response = await fetch(`${url}/v1/users/me`, { headers: { Authorization: `Bearer ${token}` } });
      await response.arrayBuffer();
      return response.ok;
    },
  };

  async function control(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${url}/emulator${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The emulator refused ${method} ${path}: ${text}`);
    return JSON.parse(text);
  }
}
