import { h, p } from "./dom.ts";
import { snippet } from "./snippet.ts";
import { type Access, actionsSnippet, curlSnippet, fetchSnippet, moduleSnippet, nodeSnippet } from "./snippets.ts";

/** Creates the panel for a web page: lines to put into it, beside the form. */
export function webPanel(url: string, access: Access, form: HTMLElement): HTMLElement {
  return beside(form, [
    snippet((t) => t.moduleTitle, moduleSnippet(url, access)),
    p((t) => t.moduleHint, "hint"),
    snippet((t) => t.fetchTitle, fetchSnippet(url, access)),
    p((t) => (access === "closed" ? t.loginHint : t.visitorHint), "hint"),
  ]);
}

/** Creates the panel for a script: lines to put into it, beside the form. */
export function scriptPanel(url: string, access: Access, form: HTMLElement): HTMLElement {
  return beside(form, [
    snippet((t) => t.curlTitle, curlSnippet(url, access)),
    snippet((t) => t.nodeTitle, nodeSnippet(url, access)),
    ...(access === "closed" ? [p((t) => t.keyHint, "hint")] : []),
    snippet((t) => t.actionsTitle, actionsSnippet(url)),
    p((t) => t.actionsHint, "hint"),
  ]);
}

function beside(form: HTMLElement, snippets: readonly HTMLElement[]): HTMLElement {
  return h("div", { class: "columns" }, h("div", {}, ...snippets), form);
}
