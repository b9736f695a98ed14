import { once } from "node:events";
import { request } from "node:http";
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

  it.each([
    { of: "another site", headers: { Origin: ORIGIN, "Sec-Fetch-Site": "cross-site" } },
    { of: "another port of this machine", headers: { Origin: "http://127.0.0.1:9991", "Sec-Fetch-Site": "same-site" } },
    { of: "a site that is not https, to a name of this machine", headers: { Origin: "http://app.example.com" } },
    { of: "another port, without CORS", headers: { "Sec-Fetch-Site": "same-site" } },
    { of: "a sandboxed frame", headers: { Origin: "null" } },
  ])("refuses the control API to a page of $of", async ({ headers }) => {
    const init = { method: "POST", headers: { ...headers, "Content-Type": "text/plain" }, body: '{"hang":true}' };
    const response = await fetch(`${rig.url}/emulator/faults`, init);

    expect(response.status).toBe(404);
    expect(await rig.control("GET", "/faults")).toEqual({ status: 200, body: { faults: [] } });
  });

  it("refuses the control API to a host that was pointed at this machine", async () => {
    const sent = request(`${rig.url}/emulator/exchanges`, { headers: { Host: `evil.example:${rig.port}` } }).end();
    const [response] = await once(sent, "response");
    response.resume();

    expect(response.statusCode).toBe(404);
  });

  it("does not stop a person from looking at the control API in a browser", async () => {
    const response = await fetch(`${rig.url}/emulator/exchanges`, { headers: { "Sec-Fetch-Site": "none" } });

    expect(response.status).toBe(200);
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
