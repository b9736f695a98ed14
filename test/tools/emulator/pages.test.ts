import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Rig, startRig, TOKEN_PATH } from "./harness.ts";

const ORIGIN = "https://app.example.com";

describe("a page of another origin", () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.close());

  function preflight(path: string, method: string) {
    const headers = {
      Origin: ORIGIN,
      "Access-Control-Request-Method": method,
      // What @coze/api sends in a browser.
      "Access-Control-Request-Headers": "agw-js-conv,authorization,content-type,x-coze-client-user-agent",
    };
    return fetch(rig.url + path, { method: "OPTIONS", headers });
  }

  it.each([
    ["GET", "/v1/users/me"],
    ["POST", "/v1/conversation/create"],
    ["POST", "/v3/chat"],
  ])("lets a page of another origin send %s %s with the headers of the official SDK", async (method, path) => {
    const response = await preflight(path, method);

    expect(response.status).toBe(204);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(response.headers.get("Access-Control-Allow-Methods")).toBe("GET,POST");
    expect(response.headers.get("Access-Control-Allow-Headers")?.split(",").sort()).toEqual([
      "agw-js-conv",
      "authorization",
      "content-type",
      "x-coze-client-user-agent",
    ]);
  });

  it("lets a page of another origin read a rejected token's error and log id", async () => {
    const response = await fetch(`${rig.url}/v1/users/me`, { headers: { Origin: ORIGIN } });

    expect(response.status).toBe(401);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(response.headers.get("Access-Control-Expose-Headers")).toBe("X-Tt-Logid");
  });

  it("refuses pages of other sites the control API", async () => {
    const headers = { Origin: ORIGIN, "Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain" };
    const body = JSON.stringify({ hang: true });
    const response = await fetch(`${rig.url}/emulator/faults`, { method: "POST", headers, body });

    expect(response.status).toBe(404);
    expect(await rig.control("GET", "/faults")).toEqual({ status: 200, body: { faults: [] } });
  });

  it.each([
    ["POST", TOKEN_PATH],
    ["GET", "/emulator/exchanges"],
    ["POST", "/emulator/tokens/revoke"],
  ])("refuses a page of another origin %s %s, and hides the response", async (method, path) => {
    const leave = await preflight(path, method);
    const response = await fetch(rig.url + path, { method, headers: { Origin: ORIGIN } });

    expect(leave.headers.get("Access-Control-Allow-Origin")).toBeNull();
    expect(response.headers.get("Access-Control-Allow-Origin")).toBeNull();
  });
});
