import { beforeAll, describe, expect, it } from "vitest";
import { API_KEY, accessDenied, bearer, expectRefusal, sha256 } from "../../support/callers.ts";
import { createTestApp, type TestApp } from "../../support/coze.ts";
import { type Claims, createTestIssuer, type TestIssuer } from "../../support/issuer.ts";
import { startWorker, type TestWorker } from "../../support/worker.ts";

const APP_ORIGIN = "https://app.example.com";

let app: TestApp;
let issuer: TestIssuer;
let callers: readonly object[];
let worker: TestWorker;

beforeAll(async () => {
  app = await createTestApp();
  issuer = await createTestIssuer();
  callers = [
    { name: "script", key_sha256: sha256(API_KEY), origins: ["https://*.example.com"] },
    { name: "web", issuer: issuer.issuer, audience: "api", origins: [APP_ORIGIN] },
    { name: "staff", issuer: issuer.issuer, audience: "staff", user_id: "email", user_prefix: "staff" },
    { name: "visitors", anonymous: true, origins: ["https://www.example.com", APP_ORIGIN] },
  ];
  worker = await startWorker({ ...app.settings, CALLERS: callers });
});

const tokenOf = (claims: Claims) => issuer.sign({ aud: "api", sub: "ada", ...claims });

describe("a JWT whose user id cannot become a session name", () => {
  it.each<[string, Claims]>([
    ["missing", { sub: undefined }],
    ["beyond ASCII", { sub: "Zo\u00eb" }],
    ["the session name of a visitor", { sub: "visitors:ada" }],
  ])("refuses a JWT whose user id cannot become a session name: %s", async (_what, claims) => {
    const response = await worker.post(undefined, bearer(await tokenOf(claims)));
    await expectRefusal(response, app, accessDenied("The claim sub of the credential is no usable user id."));
  });

  it("refuses a JWT without a user id even when X-User-ID names one", async () => {
    const response = await worker.post("ada", bearer(await tokenOf({ sub: undefined })));
    await expectRefusal(response, app, accessDenied("The claim sub"));
  });

  it("refuses a JWT without the claim that is the user id, even when sub is there", async () => {
    const response = await worker.post(undefined, bearer(await tokenOf({ aud: "staff" })));
    await expectRefusal(response, app, accessDenied("The claim email of the credential"));
  });
});

describe("X-User-ID", () => {
  it.each(["bob", "Ada"])("refuses an X-User-ID beside the JWT of the user ada: %s", async (userId) => {
    const response = await worker.post(userId, bearer(await tokenOf({})));
    await expectRefusal(response, app, accessDenied("X-User-ID names another user than the credential"));
  });

  it("refuses an empty X-User-ID from every kind of caller", async () => {
    const broken = { status: 400, error: "invalid_request", description: "is empty" };
    for (const init of [bearer(API_KEY), bearer(await tokenOf({})), {}]) {
      await expectRefusal(await worker.post("", init), app, broken);
    }
  });

  it("refuses a visitor's X-User-ID that begins with the prefix of another caller", async () => {
    const response = await worker.post("staff:ada@example.com");
    await expectRefusal(response, app, accessDenied("X-User-ID begins with the prefix of another caller"));
  });
});

describe("a page", () => {
  const from = (origin: string, init: RequestInit = {}): RequestInit => ({
    ...init,
    headers: { ...Object.fromEntries(new Headers(init.headers)), Origin: origin },
  });

  it.each(["https://evil.example", "null"])(
    "refuses a page of an origin that its caller does not list: %s",
    async (origin) => {
      const response = await worker.post(undefined, from(origin, bearer(await tokenOf({}))));
      // So that the page can read why.
      expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
      await expectRefusal(response, app, accessDenied(`Pages of ${origin} may not use the caller web.`));
    },
  );

  it("checks a page by the origins of its own caller, not of another", async () => {
    const www = "https://www.example.com";
    await expectRefusal(
      await worker.post(undefined, from(www, bearer(await tokenOf({})))),
      app,
      accessDenied(`Pages of ${www} may not use the caller web.`),
    );
    await expectRefusal(
      await worker.post(undefined, from("https://example.com", bearer(API_KEY))),
      app,
      accessDenied("may not use the caller script"),
    );
    await expectRefusal(
      await worker.post(undefined, from("https://evil.example")),
      app,
      accessDenied("may not use the caller visitors"),
    );
  });

  it("refuses a page whose caller does not list its origin even when ALLOWED_ORIGINS does", async () => {
    const stricter = await startWorker({
      ...app.settings,
      CALLERS: callers,
      ALLOWED_ORIGINS: `${APP_ORIGIN}, https://www.example.com`,
    });
    const response = await stricter.post(undefined, from("https://www.example.com", bearer(await tokenOf({}))));
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("https://www.example.com");
    await expectRefusal(response, app, accessDenied("may not use the caller web"));
  });

  it("refuses a page that ALLOWED_ORIGINS does not list even when its caller does", async () => {
    const stricter = await startWorker({
      ...app.settings,
      CALLERS: callers.filter((_caller, index) => index !== 1), // "web" shares no page with this list
      ALLOWED_ORIGINS: "https://www.example.com",
    });
    const response = await stricter.post(undefined, from(APP_ORIGIN));
    expect(response.headers.get("Access-Control-Allow-Origin")).toBeNull();
    await expectRefusal(response, app, accessDenied(`Pages of ${APP_ORIGIN} may not use this service.`));
  });
});
