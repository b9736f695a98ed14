import { describe, expect, it } from "vitest";
import { accessDenied, bearer, expectGrant, expectRefusal, invalidClient } from "../../support/callers.ts";
import { createTestApp } from "../../support/coze.ts";
import { type Claims, createTestIssuer, sharedKey, type TestIssuer } from "../../support/issuer.ts";
import { RECIPES } from "../../support/recipes.ts";
import { startWorker } from "../../support/worker.ts";

const seconds = () => Math.floor(Date.now() / 1000);

/** Starts a Worker with callers as the recipes have them, but with issuers on loopback. */
async function start(...callers: readonly object[]) {
  const app = await createTestApp();
  const named = callers.map((caller, index) => ({ name: `caller-${index}`, ...caller }));
  return { app, worker: await startWorker({ ...app.settings, CALLERS: named }) };
}

/** Sends a JWT with these claims to a Worker with this caller, and returns what Coze is asked for. */
async function grantFor(caller: object, issuer: TestIssuer, claims: Claims): Promise<Record<string, unknown>> {
  const { app, worker } = await start({ ...caller, issuer: issuer.issuer });
  return expectGrant(app, worker.post(undefined, bearer(await issuer.sign(claims))));
}

/** Checks that a JWT with these claims does not match this caller. */
async function expectNoMatch(caller: object, issuer: TestIssuer, claims: Claims): Promise<void> {
  const { app, worker } = await start({ ...caller, issuer: issuer.issuer });
  const response = await worker.post(undefined, bearer(await issuer.sign(claims)));
  await expectRefusal(response, app, invalidClient("audience or the claims"));
}

describe("Supabase", () => {
  const session = {
    aud: "authenticated",
    sub: "11111111-2222-4333-8444-555555555555",
    role: "authenticated",
    aal: "aal1",
    session_id: "66666666-7777-4888-8999-000000000000",
    email: "ada@example.com",
    phone: "",
    is_anonymous: false,
    amr: [{ method: "password", timestamp: 1_700_000_000 }],
    app_metadata: { provider: "email", providers: ["email"] },
    user_metadata: { role: "authenticated" },
  };
  const setUp = async () => createTestIssuer({ path: "/auth/v1", keys: [await sharedKey("ES256")] });

  it("accepts a logged-in user of Supabase", async () => {
    expect(await grantFor(RECIPES.Supabase, await setUp(), session)).toEqual({
      duration_seconds: 900,
      session_name: session.sub,
    });
  });

  it.each<[string, Claims]>([
    ["the key of the project itself", { aud: undefined, role: "service_role", sub: undefined, ref: "project" }],
    ["the public key of the project", { aud: undefined, role: "anon", sub: undefined, ref: "project" }],
    ["a role that only the user wrote down", { role: "anon" }],
    [
      "an anonymous sign-in",
      { is_anonymous: true, email: "", amr: [{ method: "anonymous", timestamp: 1_700_000_000 }] },
    ],
  ])("refuses from Supabase %s", async (_what, claims) => {
    await expectNoMatch(RECIPES.Supabase, await setUp(), { ...session, ...claims });
  });
});

describe("Auth0", () => {
  const profile = (issuer: TestIssuer) => ({
    sub: "auth0|6553da60a54af58e29493993",
    aud: ["https://token.example.com", `${issuer.issuer}userinfo`],
    azp: "K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja",
    scope: "openid profile email",
    "https://token.example.com/plan": "pro",
  });

  it("accepts an access token of Auth0, whose issuer ends in a slash", async () => {
    const issuer = await createTestIssuer({ path: "/" });
    expect(issuer.issuer).toMatch(/\/$/);
    expect(await grantFor(RECIPES.Auth0, issuer, profile(issuer))).toMatchObject({
      session_name: "auth0|6553da60a54af58e29493993",
    });
  });

  it("refuses an ID token of Auth0, whose audience is the application", async () => {
    const issuer = await createTestIssuer({ path: "/" });
    const { azp } = profile(issuer);
    await expectNoMatch(RECIPES.Auth0, issuer, { ...profile(issuer), aud: azp });
  });
});

describe("Clerk", () => {
  const session = {
    azp: "https://app.example.com",
    fva: [7, -1],
    jti: "a0b1c2d3e4f5",
    nbf: seconds() - 10,
    sid: "sess_2GbDB4enNdCa5vS1zpC3Xzg9tK9",
    sts: "active",
    sub: "user_2GIpXOEpVyJw51rkZn9Kmnc6Sxr",
    v: 2,
  };

  it("accepts the token of a session of Clerk, which has no audience", async () => {
    expect(await grantFor(RECIPES.Clerk, await createTestIssuer(), session)).toMatchObject({
      session_name: "user_2GIpXOEpVyJw51rkZn9Kmnc6Sxr",
    });
  });

  it.each<[string, Claims]>([
    ["of another application", { azp: "https://other.example.com" }],
    ["of an application with a slash", { azp: "https://app.example.com/" }],
    ["of no application", { azp: undefined }],
    ["that is pending", { sts: "pending" }],
    ["of version 1, which does not tell its status", { sts: undefined, v: undefined }],
  ])("refuses a session of Clerk %s", async (_what, claims) => {
    await expectNoMatch(RECIPES.Clerk, await createTestIssuer(), { ...session, ...claims });
  });
});

describe("Firebase", () => {
  const user = "Zk3q7VtB1nRfX2wJd6hGs4aLe9u1";
  const session = {
    aud: "YOUR_PROJECT",
    auth_time: seconds() - 60,
    user_id: user,
    sub: user,
    email: "ada@example.com",
    email_verified: true,
    firebase: { identities: { email: ["ada@example.com"] }, sign_in_provider: "password" },
  };
  const anonymous = {
    email: undefined,
    email_verified: undefined,
    provider_id: "anonymous",
    firebase: { identities: {}, sign_in_provider: "anonymous" },
  };
  const byPhone = {
    email: undefined,
    email_verified: undefined,
    phone_number: "+15555550100",
    firebase: { identities: { phone: ["+15555550100"] }, sign_in_provider: "phone" },
  };
  const setUp = () => createTestIssuer({ id: `project-${crypto.randomUUID()}` });

  it("accepts a user of Firebase with a verified email address", async () => {
    expect(await grantFor(RECIPES.Firebase, await setUp(), session)).toMatchObject({
      session_name: user,
    });
  });

  it.each<[string, Claims]>([
    ["a user of another project", { aud: "other-project" }],
    ["an anonymous account", anonymous],
    ["a user whose email address is not verified", { email_verified: false }],
    ["a user who logs in by phone", byPhone],
  ])("refuses from Firebase %s", async (_what, claims) => {
    await expectNoMatch(RECIPES.Firebase, await setUp(), { ...session, ...claims });
  });

  it("accepts a phone user of Firebase by a custom claim, which an anonymous account does not have", async () => {
    const issuer = await setUp();
    const caller = { ...RECIPES.Firebase, claims: { registered: true }, issuer: issuer.issuer };
    const { app, worker } = await start(caller);
    const refused = await worker.post(undefined, bearer(await issuer.sign({ ...session, ...anonymous })));
    await expectRefusal(refused, app, invalidClient("audience or the claims"));
    const token = await issuer.sign({ ...session, ...byPhone, registered: true });
    expect(await expectGrant(app, worker.post(undefined, bearer(token)))).toMatchObject({ session_name: user });
  });
});

describe("Cloudflare Access", () => {
  const recipe = RECIPES["Cloudflare Access"];
  const tag = recipe.audience;
  const person = {
    aud: [tag],
    email: "ada@example.com",
    type: "app",
    identity_nonce: "6ei69kawdKzMIAPF",
    sub: "7335d417-61da-459d-899c-0a01c76a2f94",
    country: "DE",
  };
  const machine = { type: "app", aud: tag, common_name: "e367826f93b8d71185e03fe518aff3b4.access", sub: "" };
  const asserted = (token: string): RequestInit => ({ headers: { "Cf-Access-Jwt-Assertion": token } });

  async function setUp() {
    const issuer = await createTestIssuer();
    // Access has its keys at a place of its own.
    await issuer.publish("discovery", { status: 404 });
    const people = { ...recipe, issuer: issuer.issuer, jwks_uri: issuer.jwksUri };
    const { common_name } = machine;
    const machines = {
      ...people,
      name: "machines",
      claims: { common_name },
      user_id: "common_name",
      user_prefix: "machines",
    };
    return { issuer, ...(await start(machines, people)) };
  }

  it("accepts people from Cloudflare Access by their email", async () => {
    const { issuer, app, worker } = await setUp();
    expect(await expectGrant(app, worker.post(undefined, asserted(await issuer.sign(person))))).toMatchObject({
      session_name: "ada@example.com",
    });
    expect(await issuer.fetches()).toEqual({ discovery: 0, keys: 1 });
  });

  it("accepts a machine from Cloudflare Access by its service token", async () => {
    const { issuer, app, worker } = await setUp();
    expect(await expectGrant(app, worker.post(undefined, asserted(await issuer.sign(machine))))).toMatchObject({
      session_name: `machines:${machine.common_name}`,
    });
  });

  it("refuses other machines, and other applications of the team, from Cloudflare Access", async () => {
    const { issuer, app, worker } = await setUp();
    const otherMachine = await issuer.sign({ ...machine, common_name: "other.access" });
    await expectRefusal(
      await worker.post(undefined, asserted(otherMachine)),
      app,
      accessDenied("The claim email of the credential is no usable user id."),
    );
    const otherApplication = await issuer.sign({ ...person, aud: ["another tag"] });
    await expectRefusal(
      await worker.post(undefined, asserted(otherApplication)),
      app,
      invalidClient("audience or the claims"),
    );
  });
});

describe("GitHub Actions", () => {
  const job = {
    jti: "4a576b35-ff09-41c5-af2c-ca62dd89b76a",
    sub: "repo:your-org/your-repo:ref:refs/heads/main",
    aud: "https://token.example.com",
    ref: "refs/heads/main",
    ref_type: "branch",
    ref_protected: "true",
    repository: "your-org/your-repo",
    repository_id: "74",
    repository_owner: "example",
    repository_visibility: "private",
    actor: "ada",
    event_name: "push",
    job_workflow_ref: "your-org/your-repo/.github/workflows/release.yml@refs/heads/main",
    run_id: "15",
    nbf: seconds() - 300,
  };
  const recipe = RECIPES["GitHub Actions"];

  it("accepts a GitHub Actions job of a push to the branch", async () => {
    expect(await grantFor(recipe, await createTestIssuer(), job)).toMatchObject({
      session_name: "your-org/your-repo",
    });
  });

  describe("with patterns", () => {
    const claims = {
      ...recipe.claims,
      ref: { pattern: "refs/(heads/main|tags/v\\d+)" },
      event_name: { pattern: "push|schedule|workflow_dispatch" },
    };

    it.each<[string, string]>([
      ["refs/heads/main", "schedule"],
      ["refs/tags/v12", "push"],
    ])("accepts by patterns a GitHub Actions job of %s that was started by %s", async (ref, event_name) => {
      const other = { ...job, ref, event_name, sub: `repo:your-org/your-repo:ref:${ref}` };
      expect(await grantFor({ ...recipe, claims }, await createTestIssuer(), other)).toMatchObject({
        session_name: "your-org/your-repo",
      });
    });

    it.each<[string, Claims]>([
      ["a branch that is called like the tag", { ref: "refs/heads/refs/tags/v12" }],
      ["a branch that begins like the one", { ref: "refs/heads/main2" }],
      ["a pull request's job on the branch itself", { event_name: "pull_request_target" }],
    ])("refuses by patterns, from GitHub Actions, %s", async (_what, wrong) => {
      await expectNoMatch({ ...recipe, claims }, await createTestIssuer(), { ...job, ...wrong });
    });
  });

  it.each<[string, Claims]>([
    ["another repository", { repository: "evil/your-repo" }],
    ["a repository of a name like ours", { repository: "your-org/your-repo2" }],
    ["another branch", { ref: "refs/heads/main2" }],
    ["a tag", { ref: "refs/tags/main" }],
    ["a pull request", { ref: "refs/pull/27/merge", event_name: "pull_request" }],
    ["a job for a pull request that runs on the branch itself", { event_name: "pull_request_target" }],
    ["another event on the branch", { event_name: "workflow_dispatch" }],
    ["the audience that jobs have by default", { aud: "https://github.com/example" }],
  ])("refuses from GitHub Actions %s", async (_what, claims) => {
    await expectNoMatch(recipe, await createTestIssuer(), { ...job, ...claims });
  });
});
