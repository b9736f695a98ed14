import fc from "fast-check";
import { expect, it } from "vitest";
import { TokenError } from "../../../src/core/token-error.ts";

it("makes a TokenError carry its code, sentence, cause and details", () => {
  const details = fc.record(
    { cause: fc.anything(), coze: fc.record({ status: fc.integer() }), retryAfterSeconds: fc.integer() },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.string(), details, (description, known) => {
      const error = new TokenError("upstream_rejected", description, known);
      expect(error).toBeInstanceOf(Error);
      expect(error.name).toBe("TokenError");
      expect(error.code).toBe("upstream_rejected");
      expect(error.message).toBe(description);
      expect(error.cause).toBe(known.cause);
      expect(error.details).toBe(known);
    }),
  );
  expect(new TokenError("server_error", "Something went wrong.").details).toEqual({});
});
