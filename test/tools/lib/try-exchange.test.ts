import { expect, it } from "vitest";
import { describeRefusal } from "../../../tools/lib/try-exchange.ts";

const REFUSAL = {
  code: "upstream_rejected",
  description: "No.",
  coze: undefined,
  logId: undefined,
  isKeyRefusal: false,
  isUnknownKey: false,
};

it("describes a refusal in one line, which Coze's message cannot break or disguise", () => {
  expect(describeRefusal(REFUSAL)).toBe("upstream_rejected: No.");
  expect(describeRefusal({ ...REFUSAL, coze: "no\nDone: \u202etxt\u2028\u0007 all well" })).toBe(
    "upstream_rejected: No. Coze says: no Done: txt ? all well.",
  );
});
