import { readFile } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { DOCUMENT_PATH } from "../../../tools/openapi/document-path.ts";
import { documentText } from "../../../tools/openapi/document-text.ts";
import { type OpenApiDocument, refTo } from "../../../tools/openapi/openapi.ts";

describe("docs/openapi.json", () => {
  it("finds docs/openapi.json up to date with tools/openapi", async () => {
    expect(await readFile(DOCUMENT_PATH, "utf8"), "Run `npm run openapi`.").toBe(await documentText());
  });

  it("validates docs/openapi.json as OpenAPI 3.1", async () => {
    const validator = new Validator();
    expect(await validator.validate(JSON.parse(await readFile(DOCUMENT_PATH, "utf8")))).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  it("defines in docs/openapi.json exactly the components that it refers to", async () => {
    const text = await documentText();
    const { components }: OpenApiDocument = JSON.parse(text);
    const names = (["schemas", "headers", "responses"] as const).flatMap((kind) =>
      Object.keys(components[kind]).map((name) => refTo(kind, name).$ref),
    );
    const refs = Array.from(text.matchAll(/"\$ref": "(.+)"/g), ([, ref]) => ref);
    expect([...new Set(refs)].toSorted()).toEqual(names.toSorted());
  });
});
