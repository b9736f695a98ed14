import { describe, expect, it } from "vitest";
import { accessDenied, bearer, expectGrant, expectRefusal, invalidClient } from "../support/callers.ts";
import { createTestApp } from "../support/coze.ts";
import { type Claims, createTestIssuer, sharedKey, type TestIssuer } from "../support/issuer.ts";
import { startWorker } from "../support/worker.ts";

const seconds = () => Math.floor(Date.now() / 1000);

/** Lets the callers in who are set up as the README says, with an address on loopback for that of the issuer. */
async function start(...callers: readonly object[]) {
  const app = await createTestApp();
  const named = callers.map((caller, index) => ({ name: `caller-${index}`, ...caller }));
  return { app, worker: await startWorker({ ...app.settings, CALLERS: named }) };
}

describe("Supabase", () => {
  const caller = { audience: "authenticated", claims: { role: "authenticated" } };
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

  it("lets a logged-in user in", async () => {
    const issuer = await setUp();
    const { app, worker } = await start({ ...caller, issuer: issuer.issuer });
    expect(await expectGrant(app, worker.post(undefined, bearer(await issuer.sign(session))))).toEqual({
      duration_seconds: 900,
      session_name: session.sub,
    });
  });

  it.each<[string, Claims]>([
    ["the key of the project itself", { aud: undefined, role: "service_role", sub: undefined, ref: "project" }],
    ["the public key of the project", { aud: undefined, role: "anon", sub: undefined, ref: "project" }],
    ["a role that only the user wrote down", { role: "anon" }],
  ])("keeps out %s", async (_what, claims) => {
    const issuer = await setUp();
    const { app, worker } = await start({ ...caller, issuer: issuer.issuer });
    const response = await worker.post(undefined, bearer(await issuer.sign({ ...session, ...claims })));
    await expectRefusal(response, app, invalidClient("audience or the claims"));
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

  it("lets the user of an access token in, whose issuer ends in a slash", async () => {
    const issuer = await createTestIssuer({ path: "/" });
    expect(issuer.issuer).toMatch(/\/$/);
    const { app, worker } = await start({ issuer: issuer.issuer, audience: "https://token.example.com" });
    expect(await expectGrant(app, worker.post(undefined, bearer(await issuer.sign(profile(issuer)))))).toMatchObject({
      session_name: "auth0|6553da60a54af58e29493993",
    });
  });

  it("keeps out an ID token, whose audience is the application", async () => {
    const issuer = await createTestIssuer({ path: "/" });
    const { app, worker } = await start({ issuer: issuer.issuer, audience: "https://token.example.com" });
    const { azp } = profile(issuer);
    const response = await worker.post(undefined, bearer(await issuer.sign({ ...profile(issuer), aud: azp })));
    await expectRefusal(response, app, invalidClient("audience or the claims"));
  });
});

describe("Clerk", () => {
  const caller = { claims: { azp: "https://app.example.com" } };
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

  it("lets the user of a session in, whose token has no audience", async () => {
    const issuer = await createTestIssuer();
    const { app, worker } = await start({ ...caller, issuer: issuer.issuer });
    expect(await expectGrant(app, worker.post(undefined, bearer(await issuer.sign(session))))).toMatchObject({
      session_name: "user_2GIpXOEpVyJw51rkZn9Kmnc6Sxr",
    });
  });

  it.each(["https://other.example.com", "https://app.example.com/", undefined])(
    "keeps out the session of another application: %s",
    async (azp) => {
      const issuer = await createTestIssuer();
      const { app, worker } = await start({ ...caller, issuer: issuer.issuer });
      const response = await worker.post(undefined, bearer(await issuer.sign({ ...session, azp })));
      await expectRefusal(response, app, invalidClient("audience or the claims"));
    },
  );
});

describe("Firebase", () => {
  const tokenOf = (issuer: TestIssuer, project: string) => {
    const user = "Zk3q7VtB1nRfX2wJd6hGs4aLe9u1";
    return issuer.sign({
      aud: project,
      auth_time: seconds() - 60,
      user_id: user,
      sub: user,
      email: "ada@example.com",
      email_verified: true,
      firebase: { identities: { email: ["ada@example.com"] }, sign_in_provider: "password" },
    });
  };

  it("lets the user of an ID token of the project in, and of no other", async () => {
    const project = `chat-${crypto.randomUUID()}`;
    const issuer = await createTestIssuer({ id: project });
    const { app, worker } = await start({ issuer: issuer.issuer, audience: project });
    const other = await worker.post(undefined, bearer(await tokenOf(issuer, "other-project")));
    await expectRefusal(other, app, invalidClient("audience or the claims"));

    const token = await tokenOf(issuer, project);
    expect(await expectGrant(app, worker.post(undefined, bearer(token)))).toMatchObject({
      session_name: "Zk3q7VtB1nRfX2wJd6hGs4aLe9u1",
    });
  });
});

describe("Cloudflare Access", () => {
  const tag = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";
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
    const caller = { issuer: issuer.issuer, jwks_uri: issuer.jwksUri, audience: tag };
    const { common_name } = machine;
    return {
      issuer,
      ...(await start(
        { ...caller, claims: { common_name }, user_id: "common_name", user_prefix: "machines" },
        { ...caller, user_id: "email" },
      )),
    };
  }

  it("lets people in by their email", async () => {
    const { issuer, app, worker } = await setUp();
    expect(await expectGrant(app, worker.post(undefined, asserted(await issuer.sign(person))))).toMatchObject({
      session_name: "ada@example.com",
    });
    expect(await issuer.fetches()).toEqual({ discovery: 0, keys: 1 });
  });

  it("lets a machine in by its service token", async () => {
    const { issuer, app, worker } = await setUp();
    expect(await expectGrant(app, worker.post(undefined, asserted(await issuer.sign(machine))))).toMatchObject({
      session_name: `machines:${machine.common_name}`,
    });
  });

  it("keeps out other machines, and other applications of the team", async () => {
    const { issuer, app, worker } = await setUp();
    const otherMachine = await issuer.sign({ ...machine, common_name: "other.access" });
    await expectRefusal(
      await worker.post(undefined, asserted(otherMachine)),
      app,
      accessDenied("The claim email of the credential is no usable user id."),
    );
    const otherApplication = await issuer.sign({ ...person, aud: [tag.replace("3", "4")] });
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
    sub: "repo:example/chat:ref:refs/heads/main",
    aud: "https://token.example.com",
    ref: "refs/heads/main",
    ref_type: "branch",
    ref_protected: "true",
    repository: "example/chat",
    repository_id: "74",
    repository_owner: "example",
    repository_visibility: "private",
    actor: "ada",
    event_name: "push",
    job_workflow_ref: "example/chat/.github/workflows/release.yml@refs/heads/main",
    run_id: "15",
    nbf: seconds() - 300,
  };
  const caller = {
    audience: "https://token.example.com",
    claims: { repository: "example/chat", ref: { pattern: "refs/(heads/main|tags/v\\d+)" } },
    user_id: "repository",
  };

  it.each(["refs/heads/main", "refs/tags/v12"])("lets a job of %s in", async (ref) => {
    const issuer = await createTestIssuer();
    const { app, worker } = await start({ ...caller, issuer: issuer.issuer });
    const token = await issuer.sign({ ...job, ref, sub: `repo:example/chat:ref:${ref}` });
    expect(await expectGrant(app, worker.post(undefined, bearer(token)))).toMatchObject({
      session_name: "example/chat",
    });
  });

  it.each<[string, Claims]>([
    ["another repository", { repository: "evil/chat" }],
    ["a repository of a name like ours", { repository: "example/chat2" }],
    ["another branch", { ref: "refs/heads/main2" }],
    ["a branch that is called like the tag", { ref: "refs/heads/refs/tags/v12" }],
    ["a pull request", { ref: "refs/pull/27/merge" }],
    ["the audience that jobs have by default", { aud: "https://github.com/example" }],
  ])("keeps out %s", async (_what, claims) => {
    const issuer = await createTestIssuer();
    const { app, worker } = await start({ ...caller, issuer: issuer.issuer });
    const response = await worker.post(undefined, bearer(await issuer.sign({ ...job, ...claims })));
    await expectRefusal(response, app, invalidClient("audience or the claims"));
  });
});
