import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

describe("npm run simulate", () => {
  it("prints the figures of a simulation as JSON, and the progress apart from them", () => {
    const { status, stdout, stderr } = simulate("--users=20000", "--duration=1800", "--max-requests=2000", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ users: 20_000, tokenSeconds: 1800, price: { plan: "paid" } }]);
    expect(stderr).toMatch(/20,000 users, tokens of 1800 s: 0 %/);
  });

  it("simulates two lives of a token unless one is given, with the parameters of the command line", () => {
    const { stdout } = simulate("--users=2", "--no-kv", "--requests-per-hour=1", "--hours-per-day=0.5");
    for (const tokenSeconds of [900, 3600]) {
      expect(stdout).toMatch(new RegExp(`${tokenSeconds} s .* 0 │ +0 │ free`));
    }
  });

  it.each(["--users=many", "--duration=86400", "--hours-per-day=25", "--unknown"])(
    "refuses the argument %s of npm run simulate",
    (option) => {
      expect(simulate(option).status).toBe(1);
    },
  );
});

function simulate(...options: string[]) {
  return spawnSync(process.execPath, ["tools/simulate/main.ts", ...options], { encoding: "utf8" });
}
