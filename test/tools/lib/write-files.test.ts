import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeFiles } from "../../../tools/lib/write-files.ts";
import { createFolder } from "../doctor/folder.ts";

/** The two files of a folder with a new text, as they were read. */
const filesIn = (folder: string) =>
  [".dev.vars", "wrangler.toml"].map((name) => ({
    name,
    text: "new",
    mode: 0o600,
    before: readFileSync(join(folder, name), "utf8"),
  }));

describe("writing files", () => {
  it("writes all files or none", () => {
    const folder = createFolder();
    const files = filesIn(folder);
    mkdirSync(join(folder, `wrangler.toml.${process.pid}.tmp`)); // in the way of the second
    expect(() => writeFiles(folder, files)).toThrow(/^Nothing was written: /);
    expect(readFileSync(join(folder, ".dev.vars"), "utf8")).toBe(files[0]?.before);
    expect(existsSync(join(folder, `.dev.vars.${process.pid}.tmp`))).toBe(false);
  });

  it("leaves a file alone that was edited after it was read", () => {
    const folder = createFolder();
    const files = filesIn(folder);
    writeFileSync(join(folder, "wrangler.toml"), "edited");
    expect(() => writeFiles(folder, files)).toThrow(
      /^wrangler.toml was changed while this ran, so nothing was written/,
    );
    expect(readFileSync(join(folder, ".dev.vars"), "utf8")).toBe(files[0]?.before);
  });

  it("writes through a symbolic link", () => {
    const folder = createFolder({ "secrets/vars": "old" });
    rmSync(join(folder, ".dev.vars"));
    symlinkSync("secrets/vars", join(folder, ".dev.vars"));
    writeFiles(folder, filesIn(folder));
    expect(lstatSync(join(folder, ".dev.vars")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, "secrets/vars"), "utf8")).toBe("new");

    rmSync(join(folder, "secrets/vars")); // which leads nowhere then
    writeFiles(folder, [{ name: ".dev.vars", text: "again", mode: 0o600, before: undefined }]);
    expect(readFileSync(join(folder, "secrets/vars"), "utf8")).toBe("again");
  });
});
