import { expect, it } from "vitest";
import { excerpt } from "../../../src/core/log.ts";

it("cuts a string from outside to 500 characters", () => {
  expect(excerpt("x".repeat(500))).toBe("x".repeat(500));
  expect(excerpt(`${"x".repeat(500)}y`)).toBe("x".repeat(500));
});
