import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseEnv } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { SETTING_NAMES } from "../../../src/config/settings.ts";
import { readProject } from "../../../tools/lib/project.ts";
import { SHIPPED_TOML_PATH } from "../../support/shipped-toml.ts";

const ROOT = `${import.meta.dirname}/../../..`;
const REQUIRED = ["CLIENT_ID", "KID", "PRIVATE_KEY"];

/** What wrangler.toml binds, with the one that is a comment there. */
const bindings = [...Object.keys(readProject(dirname(SHIPPED_TOML_PATH)).deployed), "METRICS"];

let example: string;

beforeAll(async () => {
  example = await readFile(`${ROOT}/.dev.vars.example`, "utf8");
});

describe("what the Deploy to Cloudflare button reads", () => {
  it("makes the three required settings secrets to fill in, and prefills none of them", () => {
    expect(parseEnv(example)).toEqual(Object.fromEntries(REQUIRED.map((name) => [name, ""])));
  });

  it("names every setting that is no binding in .dev.vars.example", () => {
    const named = Array.from(example.matchAll(/^(?:# )?([A-Z_]+)=/gm), ([, name]) => name);
    expect(named.toSorted()).toEqual(SETTING_NAMES.filter((name) => !bindings.includes(name)).toSorted());
  });

  it("describes in package.json each setting and resource that the button asks for", async () => {
    const { cloudflare, scripts } = JSON.parse(await readFile(`${ROOT}/package.json`, "utf8"));
    expect(Object.keys(cloudflare.bindings).toSorted()).toEqual([...REQUIRED, "TOKEN_CACHE"].toSorted());
    for (const { description } of Object.values<{ description: string }>(cloudflare.bindings)) {
      expect(description).toMatch(/^[A-Z].+\.$/);
    }
    expect(scripts).toMatchObject({ build: expect.any(String), deploy: expect.any(String), dev: expect.any(String) });
  });

  it("shows in README.md a button that asks for the URL of a repository", async () => {
    const readme = await readFile(`${ROOT}/README.md`, "utf8");
    const [, link = ""] = readme.match(/\[!\[Deploy to Cloudflare\]\(\S+\/button\)\]\((\S+)\)/) ?? [];
    const { origin, pathname, searchParams } = new URL(link);
    expect({ origin, pathname }).toEqual({ origin: "https://deploy.workers.cloudflare.com", pathname: "/" });
    expect(searchParams.get("url")).toMatch(/^https:\/\/github\.com\/[\w-]+\/[\w-]+$/);
  });
});
