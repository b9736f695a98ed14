import { readFile } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { documentText } from "../../../tools/openapi/document-file.ts";
import { DOCUMENT_PATH } from "../../../tools/openapi/document-path.ts";
import { type OpenApiDocument, refTo } from "../../../tools/openapi/openapi.ts";

describe("docs/openapi.json", () => {
  it("is what the code describes: run `npm run openapi`", async () => {
    expect(await readFile(DOCUMENT_PATH, "utf8")).toBe(await documentText());
  });

  it("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    expect(await validator.validate(JSON.parse(await readFile(DOCUMENT_PATH, "utf8")))).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  it("has no component that nothing refers to", async () => {
    const text = await documentText();
    const { components }: OpenApiDocument = JSON.parse(text);
    const names = (["schemas", "headers", "responses"] as const).flatMap((kind) =>
      Object.keys(components[kind]).map((name) => refTo(kind, name).$ref),
    );
    expect(names.filter((ref) => !text.includes(`"${ref}"`))).toEqual([]);
  });
});
