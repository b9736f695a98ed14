import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { SHIPPED_TOML_PATH } from "../support/shipped-toml.ts";

/** What wrangler makes of the file; its own type is not resolved outside of its package. */
type Config = {
  readonly observability: object;
  readonly keep_vars?: boolean;
  readonly ratelimits: readonly {
    readonly name: string;
    readonly namespace_id: string;
    readonly simple: { readonly limit: number; readonly period: number };
  }[];
};

const ENVIRONMENTS = [undefined, "staging", "production"] as const;
const configs: readonly Config[] = ENVIRONMENTS.map((env) =>
  unstable_readConfig({ config: SHIPPED_TOML_PATH, env }, { hideWarnings: true }),
);
const named = ENVIRONMENTS.map((env, index) => [env ?? "top level", configs[index]] as const);

describe("wrangler.toml", () => {
  it.each(named)("keeps request headers out of the stored logs: %s", (_name, config) => {
    expect(config?.observability).toEqual({
      enabled: true,
      logs: { invocation_logs: false },
      traces: { enabled: false },
    });
  });

  it.each(named)("deploys what wrangler.toml says, and no variable that it no longer has: %s", (_name, config) => {
    expect(config?.keep_vars).toBeFalsy();
  });

  it.each(named)("limits requests and exchanges by the minute in wrangler.toml: %s", (_name, config) => {
    const limits = (config?.ratelimits ?? []).map(({ name, simple }) => ({ name, ...simple }));
    expect(limits).toEqual([
      { name: "RATE_LIMITER", limit: 1000, period: 60 },
      { name: "EXCHANGE_LIMITER", limit: 30, period: 60 },
    ]);
  });

  it("gives each limiter of each environment a count of its own", () => {
    const ids = configs.flatMap(({ ratelimits }) => ratelimits.map(({ namespace_id }) => namespace_id));
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
    // Documentation and templates count from 1001: a copy of them shares an account's counts with this Worker.
    for (const id of ids) expect(id).toMatch(/^[1-9]\d{5,8}$/);
  });
});
