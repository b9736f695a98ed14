import { copyButton } from "./copy-button.ts";
import { h } from "./dom.ts";
import type { TextFor } from "./language.ts";

/** Creates a heading with lines of code below it, to read and to copy. */
export function snippet(title: TextFor, code: string, heading: "h2" | "h3" = "h3"): HTMLElement {
  return h(
    "section",
    { class: "snippet" },
    h(
      "header",
      {},
      h(heading, {}, title),
      copyButton(title, () => code),
    ),
    h("pre", {}, h("code", { translate: "no" }, code)),
  );
}
