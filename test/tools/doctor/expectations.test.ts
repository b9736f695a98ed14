import { expect, it } from "vitest";
import { expectationsFor } from "../../../tools/doctor/expectations.ts";
import { readProject } from "../../../tools/lib/project.ts";
import { createFolder, TOML } from "./folder.ts";

const KEY = `[[vars.CALLERS]]\nname = "script"\nkey_sha256 = "${"ab".repeat(32)}"\n`;
const ANYONE = `[[vars.CALLERS]]\nname = "guests"\nanonymous = true\n`;

it.each([
  ["no variables", "", { isClosed: false, restrictsOrigins: false, origin: undefined }],
  ["a caller", KEY, { isClosed: true }],
  ["a caller for everyone", KEY + ANYONE, { isClosed: false }],
  [
    "origins",
    '[vars]\nALLOWED_ORIGINS = "https://*.example.com, https://app.example.com"\n',
    { restrictsOrigins: true, origin: "https://app.example.com" },
  ],
  ["every origin", '[vars]\nALLOWED_ORIGINS = "*"\n', { restrictsOrigins: false, origin: undefined }],
])("expects of a service what its wrangler.toml says: %s", (_what, vars, expected) => {
  const project = readProject(createFolder({ "wrangler.toml": TOML + vars }));
  expect(expectationsFor(project)).toMatchObject(expected);
});
