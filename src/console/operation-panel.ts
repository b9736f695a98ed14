import { facts, h, p } from "./dom.ts";
import type { Health } from "./health.ts";
import type { TextFor } from "./language.ts";

/** Documents of the repository, by path: the page does not know the repository's URL. */
const DOCUMENTS: readonly (readonly [path: string, about: TextFor])[] = [
  ["README.md", (t) => t.readSettings],
  ["docs/callers.md", (t) => t.readCallers],
  ["docs/operations.md", (t) => t.readOperations],
  ["docs/security.md", (t) => t.readSecurity],
];

const COZE_APPS = ["https://www.coze.cn/open/oauth/apps", "https://www.coze.com/open/oauth/apps"];

/** Creates the panel for the operator: its health, and where to read on. `local` is about this machine. */
export function operationPanel(health: Health, local: HTMLElement | undefined): HTMLElement {
  return h(
    "div",
    {},
    h(
      "div",
      { class: "columns" },
      h(
        "section",
        {},
        h("h2", {}, (t) => t.healthTitle),
        healthFacts(health),
      ),
      h(
        "section",
        {},
        h("h2", {}, (t) => t.readTitle),
        p((t) => t.readText),
        facts(...DOCUMENTS.map(([path, about]) => [() => `\`${path}\``, about] as const)),
        h(
          "p",
          {},
          (t) => t.cozeApps,
          ...COZE_APPS.flatMap((address) => [" ", link(address, new URL(address).hostname)]),
        ),
      ),
    ),
    local,
  );
}

function healthFacts(health: Health): HTMLElement {
  const more = h(
    "p",
    {},
    link("/health", "/health"),
    " ",
    h("span", { class: "hint" }, (t) => t.readHealth),
  );
  if (health.status !== "ok")
    return h(
      "div",
      {},
      p((t) => t[health.status]),
      more,
    );

  const { version } = health;
  return h(
    "div",
    { class: "stack" },
    p((t) => t.noIssues),
    facts(
      [(t) => t.access, (t) => t[health.access]],
      [(t) => t.cache, (t) => (health.cache === "kv" ? t.cacheKv : t.cacheMemory)],
      [(t) => t.version, version === undefined ? undefined : h("code", {}, version)],
    ),
    more,
  );
}

function link(address: string, text: string): HTMLAnchorElement {
  return h("a", { href: address, rel: "noreferrer" }, text);
}
