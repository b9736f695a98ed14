import { describe, expect, it } from "vitest";
import { nearNameIssues } from "../../../src/config/near-names.ts";

const SETTINGS = ["CLIENT_ID", "KID", "PRIVATE_KEY", "PREVIOUS_KID", "CALLERS", "ALLOWED_ORIGINS", "RATE_LIMITER"];

function issuesFor(...names: readonly string[]) {
  return nearNameIssues(Object.fromEntries(names.map((name) => [name, "hunter2"])), SETTINGS);
}

describe("nearNameIssues", () => {
  it.each([
    ["CALLER", "CALLERS"],
    ["CALLER_S", "CALLERS"],
    ["ALLOWED_ORIGIN", "ALLOWED_ORIGINS"],
    ["ALOWED_ORIGIN", "ALLOWED_ORIGINS"],
    ["client_id", "CLIENT_ID"],
    ["ClientId", "CLIENT_ID"],
    ["PRIVATEKEY", "PRIVATE_KEY"],
    ["PIRVATE_KYE", "PRIVATE_KEY"],
    ["PREVIOUS_KEY", "PREVIOUS_KID"],
    ["KDI", "KID"],
    ["ID", "KID"],
  ])("reports the unknown setting %s as a misspelling of %s", (name, meant) => {
    expect(issuesFor(name)).toEqual([{ path: name, message: `is not a setting; did you mean ${meant}?` }]);
  });

  it.each(["KEY", "CALL", "CLIENT", "CLIENT_SECRET", "KEY_ID", "PREVIOUS", "OTHER", "", "__proto__"])(
    "does not report %j, which is more than a slip from every setting",
    (name) => {
      expect(issuesFor(name)).toEqual([]);
    },
  );

  it("names the known setting that is closest to an unknown one", () => {
    expect(nearNameIssues({ LOG_DAY: 1 }, ["LOG_RAYS", "LOG_DAYS"])).toMatchObject([
      { message: expect.stringContaining("LOG_DAYS?") },
    ]);
  });

  it("reports every misspelled setting, without its value", () => {
    const issues = issuesFor("CALLER", "KIDS", "CLIENT_ID");
    expect(issues.map(({ path }) => path)).toEqual(["CALLER", "KIDS"]);
    expect(JSON.stringify(issues)).not.toContain("hunter2");
  });

  it.each<[string, unknown]>([
    ["tables", [{ name: "a" }, null, "b", { limiter: "RATE_LIMITER2" }]],
    ["a JSON string", JSON.stringify([{ limiter: "RATE_LIMITER2" }])],
  ])("does not report a rate limiter that a caller names: CALLERS as %s", (_what, callers) => {
    expect(nearNameIssues({ CALLERS: callers, RATE_LIMITER2: {} }, SETTINGS)).toEqual([]);
    expect(nearNameIssues({ CALLERS: callers, RATE_LIMITER3: {} }, SETTINGS)).toHaveLength(1);
  });
});
