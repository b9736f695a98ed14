import { createElement, createParagraph, factList } from "./dom.ts";
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
  return createElement(
    "div",
    {},
    createElement(
      "div",
      { class: "columns" },
      createElement(
        "section",
        {},
        createElement("h2", {}, (t) => t.healthTitle),
        healthFacts(health),
      ),
      createElement(
        "section",
        {},
        createElement("h2", {}, (t) => t.readTitle),
        createParagraph((t) => t.readText),
        factList(...DOCUMENTS.map(([path, about]) => [() => `\`${path}\``, about] as const)),
        createElement(
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
  const more = createElement(
    "p",
    {},
    link("/health", "/health"),
    " ",
    createElement("span", { class: "hint" }, (t) => t.readHealth),
  );
  if (health.status !== "ok")
    return createElement(
      "div",
      {},
      createParagraph((t) => t[health.status]),
      more,
    );

  const { version } = health;
  return createElement(
    "div",
    { class: "stack" },
    createParagraph((t) => t.noIssues),
    factList(
      [(t) => t.access, (t) => t[health.access]],
      [(t) => t.cache, (t) => (health.cache === "kv" ? t.cacheKv : t.cacheMemory)],
      [(t) => t.version, version === undefined ? undefined : createElement("code", {}, version)],
    ),
    more,
  );
}

function link(address: string, text: string): HTMLAnchorElement {
  return createElement("a", { href: address, rel: "noreferrer" }, text);
}
