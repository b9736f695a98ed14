import { expect, it } from "vitest";
import { redact } from "../../../tools/lib/redact.ts";

const SECRET = "ctw_0123456789abcdef";

it.each([
  ["the whole secret", `no caller has ${SECRET}.`, "no caller has [secret]."],
  ["a piece of 8 characters", "ends in 89abcdef", "ends in [secret]"],
  ["two pieces side by side", "01234567ctw_0123", "[secret]"],
  ["a piece twice", "01234567 or 01234567", "[secret] or [secret]"],
])("replaces %s", (_what, text, redacted) => {
  expect(redact(text, SECRET)).toBe(redacted);
});

it("leaves pieces of 7 characters, which could be part of any word", () => {
  expect(redact("starts with ctw_012", SECRET)).toBe("starts with ctw_012");
});

it("replaces a secret that is shorter than 8 characters, and nothing for an empty one", () => {
  expect(redact("the key is abc", "abc")).toBe("the key is [secret]");
  expect(redact("the key is abc", "")).toBe("the key is abc");
});
