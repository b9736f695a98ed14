import { createElement, createParagraph } from "./dom.ts";
import type { Access } from "./health.ts";
import { snippet } from "./snippet.ts";
import { actionsSnippet, curlSnippet, fetchSnippet, moduleSnippet, nodeSnippet } from "./snippets.ts";

/** Creates the panel for a web page: lines to put into it, beside the form. */
export function webPanel(url: string, access: Access, form: HTMLElement): HTMLElement {
  return beside(form, [
    snippet((t) => t.moduleTitle, moduleSnippet(url, access)),
    createParagraph((t) => t.moduleHint, "hint"),
    snippet((t) => t.fetchTitle, fetchSnippet(url, access)),
    createParagraph((t) => (access === "closed" ? t.loginHint : t.visitorHint), "hint"),
  ]);
}

/** Creates the panel for a script: lines to put into it, beside the form. */
export function scriptPanel(url: string, access: Access, form: HTMLElement): HTMLElement {
  return beside(form, [
    snippet((t) => t.curlTitle, curlSnippet(url, access)),
    snippet((t) => t.nodeTitle, nodeSnippet(url, access)),
    ...(access === "closed" ? [createParagraph((t) => t.keyHint, "hint")] : []),
    snippet((t) => t.actionsTitle, actionsSnippet(url)),
    createParagraph((t) => t.actionsHint, "hint"),
  ]);
}

function beside(form: HTMLElement, snippets: readonly HTMLElement[]): HTMLElement {
  return createElement("div", { class: "columns" }, createElement("div", {}, ...snippets), form);
}
