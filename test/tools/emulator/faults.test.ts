import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CLIENT_ID, KID, keyPair, type Rig, signAssertion, startRig } from "./harness.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
  await rig.control("POST", "/apps", { client_id: "2", keys: [{ kid: KID, public_key: keyPair.publicKey }] });
});
beforeEach(async () => {
  await rig.control("DELETE", "/faults");
  await rig.control("DELETE", "/exchanges");
});
afterAll(() => rig.close());

describe("a fault that responds instead of the exchange", () => {
  it.each([
    ["a rate limit", 429, { "Retry-After": "3" }, { error_code: "", error_message: "", error: "" }],
    [
      "a server error in Coze's shape",
      500,
      {},
      {
        error_code: "internal_error",
        error_message: "Service internal error.",
        error: "internal_error",
      },
    ],
    ["an error_code under 200", 200, {}, { error_code: "access_deny", error_message: "invalid app type", error: "" }],
    ["an empty object", 200, {}, {}],
    ["a relative expires_in", 200, {}, { access_token: "czs_x", expires_in: 900 }],
    ["JSON null", 200, {}, null],
    ["a list", 200, {}, [1]],
    ["false", 200, {}, false],
  ])("responds with a fault instead of the exchange: %s", async (_, status, headers, body) => {
    await arm({ response: { status, headers, body } });

    const response = await rig.exchange();

    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(Object.fromEntries(response.headers)).toMatchObject(lowerCased(headers));
    expect(response.headers.get("x-tt-logid")).toMatch(/^\d{14}[\dA-F]{20}$/);
    expect(await response.json()).toEqual(body);
  });

  it("sends the string of a fault as it is: truncated JSON", async () => {
    await arm({ response: { body: '{"access_token":"czs_' } });

    const response = await rig.exchange();

    expect(response.status).toBe(200);
    expect(await response.text()).toBe('{"access_token":"czs_');
  });

  it("sends the string of a fault as it is: the page of a gateway", async () => {
    await arm({ response: { status: 502, headers: { "content-type": "text/html" }, body: "<h1>502</h1>" } });

    const response = await rig.exchange();

    expect(response.status).toBe(502);
    expect(response.headers.get("content-type")).toBe("text/html");
    expect(await response.text()).toBe("<h1>502</h1>");
  });

  it("responds with a redirect as a fault, for clients that must not follow", async () => {
    await arm({ response: { status: 307, headers: { Location: `${rig.url}/elsewhere` } } });

    const response = await rig.exchange();

    expect(response.status).toBe(307);
    expect(response.headers.get("location")).toBe(`${rig.url}/elsewhere`);
    expect(await response.text()).toBe("");
  });

  it("responds with a fault without a body", async () => {
    await arm({ response: { status: 204 } });

    const response = await rig.exchange();

    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
  });

  it.each([256, 65_536, 65_537])(
    "responds as a fault with a padded token response of exactly %d bytes",
    async (bytes) => {
      await arm({ response: { body_bytes: bytes } });

      const text = await (await rig.exchange()).text();
      const body = JSON.parse(text);

      expect(Buffer.byteLength(text)).toBe(bytes);
      expect(body).toEqual({
        access_token: expect.stringMatching(/^czs_/),
        expires_in: expect.any(Number),
        token_type: "Bearer",
        padding: expect.stringMatching(/^x+$/),
      });
      expect(await rig.me(body.access_token)).toMatchObject({ status: 401 });
    },
  );

  it("leaves the assertion unused and issues nothing when a fault responds", async () => {
    const assertion = signAssertion();
    await arm({ response: { status: 503 } });

    expect((await rig.exchange({ assertion })).status).toBe(503);
    expect(await rig.exchanges()).toMatchObject([{ status: 503, access_token_sha256: null, problem: null }]);
    expect((await rig.exchange({ assertion })).status).toBe(200);
  });
});

describe("a fault that responds after the exchange", () => {
  it("responds with a fault after the exchange, and so hides a token that was issued", async () => {
    const assertion = signAssertion();
    await arm({ response: { status: 502, body: "Bad Gateway", after: true } });

    const response = await rig.exchange({ assertion });

    expect(response.status).toBe(502);
    expect(await response.text()).toBe("Bad Gateway");
    expect(await rig.exchanges()).toMatchObject([{ status: 502, access_token_sha256: expect.any(String) }]);
    expect((await rig.exchange({ assertion })).status).toBe(401);
  });

  it("pads the real response as a fault, with a token that works", async () => {
    await arm({ response: { body_bytes: 65_536, after: true } });

    const text = await (await rig.exchange()).text();

    expect(Buffer.byteLength(text)).toBe(65_536);
    expect(await rig.me(JSON.parse(text).access_token)).toMatchObject({ status: 200 });
  });

  it("pads the response of a refused exchange as a fault", async () => {
    await arm({ response: { status: 401, body_bytes: 512, after: true } });

    const text = await (await rig.exchange({ assertion: "garbage" })).text();

    expect(Buffer.byteLength(text)).toBe(512);
    expect(JSON.parse(text)).toMatchObject({ error_code: "invalid_client" });
  });
});

describe("a fault of the connection", () => {
  it("drops the connection as a fault: the client's fetch fails, and nothing is issued", async () => {
    await arm({ drop: true });

    await expect(rig.exchange()).rejects.toThrow("fetch failed");

    expect(await rig.exchanges()).toMatchObject([{ status: null, access_token_sha256: null }]);
    expect((await rig.exchange()).status).toBe(200);
  });

  it("hangs as a fault until the client leaves, and lists the exchange meanwhile", async () => {
    await arm({ hang: true });
    const client = new AbortController();

    const hanging = rig.exchange({ signal: client.signal });
    const seen = await untilOneExchange();
    const first = await Promise.race([hanging, sleep(300, "still hanging")]);
    client.abort();

    expect(seen).toMatchObject([{ status: null, fault: expect.stringMatching(/^fault-\d+$/) }]);
    expect(first).toBe("still hanging");
    await expect(hanging).rejects.toThrow("aborted");
    expect(await rig.exchanges()).toMatchObject([{ status: null, access_token_sha256: null }]);
  });

  it("delays as a fault an exchange that then goes on normally", async () => {
    await arm({ delay_ms: 200 });

    const before = performance.now();
    const response = await rig.exchange();

    expect(performance.now() - before).toBeGreaterThanOrEqual(195);
    expect(response.status).toBe(200);
    expect(await rig.exchanges()).toMatchObject([{ status: 200, access_token_sha256: expect.any(String) }]);
  });

  it("delays a fault that then responds", async () => {
    await arm({ delay_ms: 200, response: { status: 500 } });

    const before = performance.now();
    const response = await rig.exchange();

    expect(performance.now() - before).toBeGreaterThanOrEqual(195);
    expect(response.status).toBe(500);
  });

  it("does not carry out an exchange whose client leaves during a delay", async () => {
    const assertion = signAssertion();
    await arm({ delay_ms: 200 });

    await expect(rig.exchange({ assertion, signal: AbortSignal.timeout(50) })).rejects.toThrow("timeout");
    await sleep(300);

    expect(await rig.exchanges()).toMatchObject([{ status: null, access_token_sha256: null }]);
    expect((await rig.exchange({ assertion })).status).toBe(200);
  });
});

describe("the order of faults", () => {
  it("applies faults in the order of arming, each to one exchange unless told otherwise", async () => {
    await arm({ response: { status: 500 } });
    await arm({ times: 2, response: { status: 429 } });

    expect(await statuses(4)).toEqual([500, 429, 429, 200]);
    expect((await rig.control("GET", "/faults")).body).toEqual({ faults: [] });
  });

  it("applies a fault without end until it is cleared", async () => {
    await arm({ times: null, response: { status: 500 } });

    expect(await statuses(3)).toEqual([500, 500, 500]);
    expect((await rig.control("DELETE", "/faults")).body).toEqual({ count: 1 });
    expect(await statuses(1)).toEqual([200]);
  });

  it("does not apply a fault of another app", async () => {
    await arm({ client_id: "2", response: { status: 500 } });
    await arm({ response: { status: 429 } });

    expect(await statuses(2)).toEqual([429, 200]);
    expect(await statuses(1, "2")).toEqual([500]);
  });

  it("applies a fault of the app that an assertion names as issuer, verified or not", async () => {
    await arm({ client_id: "nobody", response: { status: 500 } });

    const response = await rig.exchange({ assertion: signAssertion({ claims: { iss: "nobody" } }) });

    expect(response.status).toBe(500);
  });

  it("applies a fault of all apps to an exchange without an assertion", async () => {
    await arm({ client_id: CLIENT_ID, response: { status: 500 } });
    await arm({ response: { status: 429 } });

    expect((await rig.exchange({ assertion: "garbage" })).status).toBe(429);
  });
});

describe("the list of faults", () => {
  it("lists armed faults and how often each is still applied", async () => {
    const armed = await arm({ client_id: "2", times: 2, delay_ms: 1, response: { status: 500, body: {} } });
    await statuses(1, "2");

    const left = {
      id: armed.id,
      client_id: "2",
      times: 1,
      delay_ms: 1,
      response: { status: 500, headers: {}, body: {}, after: false },
    };
    expect(armed).toEqual({ ...left, times: 2 });
    expect((await rig.control("GET", "/faults")).body).toEqual({ faults: [left] });
  });

  it("lists and clears the faults of one app", async () => {
    const forAll = await arm({ drop: true });
    const forOne = await arm({ client_id: "2", hang: true });

    expect((await rig.control("GET", "/faults?client_id=2")).body).toEqual({ faults: [forOne] });
    expect((await rig.control("DELETE", "/faults?client_id=2")).body).toEqual({ count: 1 });
    expect((await rig.control("GET", "/faults")).body).toEqual({ faults: [forAll] });
  });

  it.each<[problem: string, fault: unknown]>([
    ["body: has no delay_ms, hang, drop or response", {}],
    ["body: has more than one of hang, drop and response", { hang: true, drop: true }],
    ["body: has more than one of hang, drop and response", { drop: true, response: {} }],
    ["hang: Invalid input: expected true", { hang: "yes" }],
    ["times: Too small: expected number to be >=1", { times: 0, drop: true }],
    ["times: Invalid input: expected int, received number", { times: 1.5, drop: true }],
    ["delay_ms: Too small: expected number to be >=0", { delay_ms: -1 }],
    ["delay_ms: Too big: expected number to be <=600000", { delay_ms: 600_001 }],
    ["client_id: Invalid input: expected string, received number", { client_id: 2, drop: true }],
    ["colour: is not a known property", { colour: "red", drop: true }],
    ["response: Invalid input: expected object, received boolean", { response: true }],
    ["response.status: Too small: expected number to be >=200", { response: { status: 101 } }],
    ["response.status: Too big: expected number to be <=599", { response: { status: 600 } }],
    ["response.status: goes without a body", { response: { status: 204, body: "" } }],
    ["response.headers.location: is not a header value", { response: { headers: { location: "\n" } } }],
    ['response.headers["a b"]: is not a header name', { response: { headers: { "a b": "" } } }],
    [
      'response.headers["Content-Length"]: is set by the server itself',
      {
        response: { headers: { "Content-Length": "1" } },
      },
    ],
    ["response.body_bytes: does not go together with body", { response: { body: "", body_bytes: 300 } }],
    ["response.body_bytes: Too small: expected number to be >=256", { response: { body_bytes: 255 } }],
    ["response.after: Invalid input: expected boolean, received string", { response: { after: "yes" } }],
    ["response.delay: is not a known property", { response: { delay: 1 } }],
  ])("refuses to arm an invalid fault: %s", async (problem, fault) => {
    expect(await rig.control("POST", "/faults", fault)).toEqual({
      status: 400,
      body: { error: "invalid_request", problem },
    });
    expect((await rig.control("GET", "/faults")).body).toEqual({ faults: [] });
  });
});

async function arm(fault: unknown) {
  const { status, body } = await rig.control("POST", "/faults", fault);
  expect(status).toBe(201);
  return body;
}

/** The statuses of so many exchanges, one after the other. */
async function statuses(count: number, iss = CLIENT_ID): Promise<number[]> {
  const seen: number[] = [];
  while (seen.length < count) {
    const response = await rig.exchange({ assertion: signAssertion({ claims: { iss } }) });
    seen.push(response.status);
  }
  return seen;
}

async function untilOneExchange() {
  for (;;) {
    const exchanges = await rig.exchanges();
    if (exchanges.length > 0) return exchanges;
    await sleep(10);
  }
}

function sleep<Value>(milliseconds: number, value?: Value): Promise<Value | undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, value));
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
