import { describe, expect, it } from "vitest";
import { editVars } from "../../../tools/lib/vars-edit.ts";

describe("editing a vars file", () => {
  it("replaces values over several lines, and adds what is missing at the end", () => {
    const text = "# first\nexport KID='old'\nPRIVATE_KEY=\"-----BEGIN\nabc\n-----END\"\nOTHER=1";
    const edited = editVars(text, { KID: "$&new", PRIVATE_KEY: "a\nb\n", CALLERS: '[{"a":1}]' });
    expect(edited).toBe('# first\nKID="$&new"\nPRIVATE_KEY="a\\nb"\nOTHER=1\nCALLERS=\'[{"a":1}]\'\n');
  });

  it("refuses a vars file that would still say something else", () => {
    expect(() => editVars("KID=one\nKID=two\n", { KID: "three" })).toThrow(/cannot be edited safely/);
  });
});
