import { copyButton } from "./copy-button.ts";
import { createElement } from "./dom.ts";
import type { TextFor } from "./language.ts";

/** Creates a heading with lines of code below it, to read and to copy. */
export function snippet(title: TextFor, code: string, heading: "h2" | "h3" = "h3"): HTMLElement {
  return createElement(
    "section",
    { class: "snippet" },
    createElement(
      "header",
      {},
      createElement(heading, {}, title),
      copyButton(title, () => code),
    ),
    createElement("pre", {}, createElement("code", { translate: "no" }, code)),
  );
}
