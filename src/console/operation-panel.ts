import { createElement, createParagraph, factList } from "./dom.ts";
import type { Health } from "./health.ts";
import type { TextFor } from "./language.ts";

/** Pages of the repository in the language that is shown, and what each is about. */
const PAGES: readonly (readonly [path: TextFor, about: TextFor])[] = [
  [(t) => `\`${t.pages.settings}\``, (t) => t.readSettings],
  [(t) => `\`${t.pages.callers}\``, (t) => t.readCallers],
  [(t) => `\`${t.pages.operations}\``, (t) => t.readOperations],
  [(t) => `\`${t.pages.security}\``, (t) => t.readSecurity],
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
        factList(...PAGES),
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
