import { describe, expect, it, vi } from "vitest";
import { createLocalApi } from "../../../tools/start/local-api.ts";

const HERE = "http://127.0.0.1:8787";
const CREDENTIAL = "SECRETKEY-abcdef";

describe.each(["/local/explain", "/local/faults"])("POST %s", (path) => {
  it.each([CREDENTIAL, `"${CREDENTIAL}`, "", "null", "7", "[]", "{}"])(
    "refuses the body %j with 400, and logs nothing of it",
    async (body) => {
      const logged = vi.spyOn(console, "error").mockReturnValue();
      // The settings are not read: the body is refused before.
      const api = createLocalApi({ env: {} as Env, waitUntil: () => undefined, requests: [] });
      const response = await api.request(`${HERE}${path}`, { method: "POST", headers: { Origin: HERE }, body });

      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        error: "invalid_request",
        error_description: expect.not.stringContaining("SECRET"),
      });
      expect(logged).not.toHaveBeenCalled();
      logged.mockRestore();
    },
  );
});
