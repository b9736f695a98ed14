import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";

const ENVIRONMENTS = [undefined, "staging", "production"] as const;
const configs = ENVIRONMENTS.map((env) =>
  unstable_readConfig({ config: "wrangler.toml", env }, { hideWarnings: true }),
);
const named = ENVIRONMENTS.map((env, index) => [env ?? "top level", configs[index]] as const);

describe("wrangler.toml", () => {
  it.each(named)("keeps request headers out of the stored logs: %s", (_name, config) => {
    expect(config?.observability).toEqual({ enabled: true, logs: { invocation_logs: false } });
  });
});
