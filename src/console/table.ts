import { type Child, createElement } from "./dom.ts";
import type { TextFor } from "./language.ts";

/** Creates a table, which scrolls by itself where the page is too narrow. The first cell of a row is its header. */
export function table(caption: TextFor, columns: readonly TextFor[], rows: readonly (readonly Child[])[]): HTMLElement {
  const body = rows.map(([first, ...others]) =>
    createElement(
      "tr",
      {},
      createElement("th", { scope: "row" }, first),
      ...others.map((cell) => createElement("td", {}, cell)),
    ),
  );
  return createElement(
    "div",
    { class: "scroll", role: "region", tabindex: 0, "aria-label": caption },
    createElement(
      "table",
      {},
      createElement(
        "thead",
        {},
        createElement("tr", {}, ...columns.map((column) => createElement("th", { scope: "col" }, column))),
      ),
      createElement("tbody", {}, ...body),
    ),
  );
}
