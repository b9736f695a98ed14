import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/config.ts";
import { invalid } from "../../../src/core/issue.ts";

type Env = Readonly<Record<string, unknown>>;

const CHINA = "https://api.coze.cn/api/permission/oauth2/token";
const WORLD = "https://api.coze.com/api/permission/oauth2/token";
const PROXY = "https://proxy.example/token";
const BLANKS = ["", " ", "\t", "\n", "\r\n", "\u00a0", "\ufeff"];

const visible = fc.string({ minLength: 1 }).filter((text) => text.trim() !== "");
const wholeNumber = (max: number) => {
  const number = fc.integer({ min: 1, max });
  return fc.oneof(
    number,
    number.map(String),
    number.map((value) => `00${value}`),
  );
};
const noNumber = fc.constantFrom(
  "0",
  0,
  -1,
  "-1",
  1.5,
  "1.5",
  "1e2",
  "0x10",
  "86400",
  86_400,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  true,
  {},
  [],
);
const scope = fc.constantFrom(
  { account_permission: { permission_list: ["a"] } },
  {
    workspace_permission: { permission_list: ["b"] },
    attribute_constraint: { connector_bot_chat_attribute: { bot_id_list: ["1", "2"] } },
  },
);

/** For each setting, values that are right by themselves and values that are not. */
const SETTINGS = {
  CLIENT_ID: {
    right: fc.oneof(visible, fc.maxSafeInteger()),
    wrong: fc.constantFrom(2 ** 60, 1.5, true, null, {}, ["1"]),
  },
  KID: { right: visible, wrong: fc.constantFrom(1, true, null, {}) },
  PRIVATE_KEY: { right: visible, wrong: fc.constantFrom(1, false, null, {}, [], invalid("is away")) },
  PREVIOUS_KID: { right: visible, wrong: fc.constantFrom(1, null, {}) },
  PREVIOUS_PRIVATE_KEY: { right: visible, wrong: fc.constantFrom(1, null, invalid("is away")) },
  AUDIENCE: {
    right: fc.constantFrom("api.coze.cn", "api.coze.com", "coze.test:8443"),
    wrong: fc.constantFrom("https://api.coze.cn", "api.coze.cn/", "a b", "u@a.example", 1, null),
  },
  TOKEN_ENDPOINT: {
    right: fc.constantFrom(CHINA, WORLD, PROXY, "http://127.0.0.1:1/t", "http://localhost/t"),
    wrong: fc.constantFrom(
      "api.coze.cn",
      "http://api.coze.cn/t",
      "https://u:p@a.example/",
      "ftp://localhost/",
      1,
      null,
      {},
    ),
  },
  TOKEN_DURATION: { right: wholeNumber(86_399), wrong: noNumber },
  ASSERTION_DURATION: { right: wholeNumber(86_399), wrong: noNumber },
  TOKEN_SCOPE: {
    right: fc.oneof(
      scope,
      scope.map((value) => JSON.stringify(value)),
    ),
    wrong: fc.constantFrom("{", "[]", "null", {}, [], null, 1, { account_permission: {} }, '{"bots":["1"]}'),
  },
  ALLOWED_ORIGINS: {
    right: fc.constantFrom(
      "*",
      "https://a.example",
      "https://a.example, http://localhost:3000/",
      "https://*.a.example",
    ),
    wrong: fc.constantFrom("a.example", "https://a.example,*", "https://*.com", "https://a.example/x", 1, null, ["*"]),
  },
  UPSTREAM_TIMEOUT_MS: { right: wholeNumber(10_000), wrong: fc.oneof(noNumber, fc.constantFrom(10_001, "10001")) },
  TOKEN_CACHE: { right: fc.constant({ get() {}, put() {} }), wrong: fc.constantFrom("on", true, {}, null) },
  SERVER_TIMING: {
    right: fc.constantFrom(true, false, "true", "false"),
    wrong: fc.constantFrom("on", "TRUE", 1, null, {}),
  },
} as const;
type Name = keyof typeof SETTINGS;
const NAMES = Object.keys(SETTINGS) as Name[]; // the keys of the literal above
const REQUIRED: readonly Name[] = ["CLIENT_ID", "KID", "PRIVATE_KEY"];

/** Settings whose rules are tested elsewhere; here they must only not do harm. */
const MORE_NAMES = ["CALLERS", "TURNSTILE_SECRET_KEY", "TURNSTILE_ENDPOINT", "RATE_LIMITER", "METRICS"];

type State = { readonly is: "right" | "wrong" | "blank" | "absent"; readonly value?: unknown };

/** A state for each setting: mostly right, so that all of them are right about every third time. */
const states = fc.record(Object.fromEntries(NAMES.map((name) => [name, stateOf(name)]))) as fc.Arbitrary<
  Readonly<Record<Name, State>>
>; // one for each name
const environment = states.map(envOf);

describe("the settings", () => {
  it("parses settings that are all right, and otherwise names exactly the wrong ones, each once", async () => {
    await fc.assert(
      fc.asyncProperty(states, async (each) => {
        const parsed = await parseConfig(envOf(each));
        const named = "issues" in parsed ? parsed.issues.map(({ path }) => path) : [];
        expect(named.toSorted()).toEqual(faultyIn(each).toSorted());
      }),
      { numRuns: 500 },
    );
  });

  it("parses every setting to the value that it was given", async () => {
    const right = fc.record({
      CLIENT_ID: SETTINGS.CLIENT_ID.right,
      KID: SETTINGS.KID.right,
      PRIVATE_KEY: SETTINGS.PRIVATE_KEY.right,
      TOKEN_DURATION: SETTINGS.TOKEN_DURATION.right,
      ASSERTION_DURATION: SETTINGS.ASSERTION_DURATION.right,
      UPSTREAM_TIMEOUT_MS: SETTINGS.UPSTREAM_TIMEOUT_MS.right,
      TOKEN_SCOPE: scope,
    });
    await fc.assert(
      fc.asyncProperty(right, async (env) => {
        expect(await parseConfig(env)).toMatchObject({
          value: {
            clientId: String(env.CLIENT_ID).trim(),
            kid: env.KID.trim(),
            privateKey: env.PRIVATE_KEY.trim(),
            tokenDurationSeconds: Number(env.TOKEN_DURATION),
            assertionDurationSeconds: Number(env.ASSERTION_DURATION),
            upstreamTimeoutMs: Number(env.UPSTREAM_TIMEOUT_MS),
            tokenScope: env.TOKEN_SCOPE,
          },
        });
      }),
    );
  });

  it("parses settings of any type as a configuration, or as issues of known settings in sentences", async () => {
    const anySetting = fc.oneof(fc.anything(), fc.json(), fc.string());
    const names = [...NAMES, ...MORE_NAMES];
    const anyEnvironment = fc.record(Object.fromEntries(names.map((name) => [name, anySetting])), { requiredKeys: [] });
    const mixed = fc.tuple(environment, anyEnvironment).map(([base, bent]) => ({ ...base, ...bent }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(anyEnvironment, mixed), async (env) => {
        const parsed = await parseConfig(env);
        if ("value" in parsed) return;
        expect(parsed.issues).not.toEqual([]);
        for (const { path, message } of parsed.issues) {
          expect(names).toContain(/^\w+/.exec(path)?.[0]);
          expect(message).toMatch(/^.*\b(must|is|are|has|have|belong)\b/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("never shows the value of a setting in an issue", async () => {
    const SECRET = "hunter2";
    const shape = fc.constantFrom<((secret: string) => unknown)[]>(
      (secret) => secret,
      (secret) => `${secret}/${secret}`,
      (secret) => `https://${secret}:${secret}@${secret}.example/`,
      (secret) => [secret],
      (secret) => ({ value: secret }),
      (secret) => JSON.stringify({ account_permission: { permission_list: secret } }),
      (secret) =>
        JSON.stringify([{ name: `${secret} ${secret}`, key_sha256: secret, origins: secret, max_duration: secret }]),
      (secret) => [{ name: "name", issuer: secret, claims: { role: { pattern: `${secret}(` } } }],
    );
    const shapes = fc.record(Object.fromEntries([...NAMES, ...MORE_NAMES].map((name) => [name, shape])), {
      requiredKeys: [],
    });
    await fc.assert(
      fc.asyncProperty(shapes, async (each) => {
        const parsed = await parseConfig(
          Object.fromEntries(Object.entries(each).map(([name, make]) => [name, make?.(SECRET)])),
        );
        if ("issues" in parsed) expect(JSON.stringify(parsed.issues)).not.toContain(SECRET);
      }),
      { numRuns: 300 },
    );
  });

  it("parses settings in any order and among unknown variables", async () => {
    const others = fc.dictionary(
      fc.oneof(
        fc.constantFrom("PATH", "__proto__", "constructor", "CLIENT"),
        fc.string().map((text) => `OTHER_${text}`),
      ),
      fc.anything(),
    );
    const turned = environment.chain((env) => {
      const entries = Object.entries(env);
      return fc.tuple(fc.constant(env), fc.shuffledSubarray(entries, { minLength: entries.length }));
    });
    await fc.assert(
      fc.asyncProperty(turned, others, async ([env, shuffled], more) => {
        const other = Object.fromEntries([...Object.entries(more), ...shuffled]);
        expect(await parseConfig(other)).toEqual(await parseConfig(env));
      }),
    );
  });

  it("ignores blanks around a setting, and treats a blank one as absent", async () => {
    const blank = fc.array(fc.constantFrom(...BLANKS)).map((blanks) => blanks.join(""));
    await fc.assert(
      fc.asyncProperty(environment, blank, blank, async (env, before, after) => {
        const padded = Object.entries(env).map(([name, value]) => [
          name,
          typeof value === "string" ? before + value + after : value,
        ]);
        const present = Object.entries(env).filter(([, value]) => typeof value !== "string" || value.trim() !== "");
        expect(await parseConfig(Object.fromEntries(padded))).toEqual(await parseConfig(env));
        expect(await parseConfig(Object.fromEntries(present))).toEqual(await parseConfig(env));
      }),
    );
  });
});

function stateOf(name: Name): fc.Arbitrary<State> {
  const { right, wrong }: { right: fc.Arbitrary<unknown>; wrong: fc.Arbitrary<unknown> } = SETTINGS[name];
  return fc.oneof(
    { weight: 24, arbitrary: right.map((value) => ({ is: "right" as const, value })) },
    { weight: 1, arbitrary: wrong.map((value) => ({ is: "wrong" as const, value })) },
    {
      weight: REQUIRED.includes(name) ? 1 : 6,
      arbitrary: fc.constantFrom(...BLANKS).map((value) => ({ is: "blank" as const, value })),
    },
    { weight: REQUIRED.includes(name) ? 1 : 6, arbitrary: fc.constant({ is: "absent" as const }) },
  );
}

function envOf(each: Readonly<Record<Name, State>>): Env {
  return Object.fromEntries(
    Object.entries(each).flatMap(([name, state]) => (state.is === "absent" ? [] : [[name, state.value]])),
  );
}

/** The settings that have to be named: those that are wrong, those that are missing, and those that contradict others. */
function faultyIn(each: Readonly<Record<Name, State>>): Name[] {
  const isRight = (name: Name) => each[name].is === "right";
  const isWrong = (name: Name) => each[name].is === "wrong";

  const isHalfPair =
    !isWrong("PREVIOUS_KID") &&
    !isWrong("PREVIOUS_PRIVATE_KEY") &&
    isRight("PREVIOUS_KID") !== isRight("PREVIOUS_PRIVATE_KEY");
  const endpoint = isRight("TOKEN_ENDPOINT") ? each.TOKEN_ENDPOINT.value : CHINA;
  const isOtherRegion =
    (endpoint === CHINA && each.AUDIENCE.value === "api.coze.com") ||
    (endpoint === WORLD && each.AUDIENCE.value === "api.coze.cn");
  return [
    ...NAMES.filter((name) => isWrong(name) || (REQUIRED.includes(name) && !isRight(name))),
    ...(isHalfPair ? ["PREVIOUS_KID" as const] : []),
    ...(isOtherRegion && !isWrong("TOKEN_ENDPOINT") ? ["AUDIENCE" as const] : []),
  ];
}
