import { type Child, h } from "./dom.ts";
import type { TextFor } from "./language.ts";

/** Creates a table, which scrolls by itself where the page is too narrow. The first cell of a row is its header. */
export function table(caption: TextFor, columns: readonly TextFor[], rows: readonly (readonly Child[])[]): HTMLElement {
  const body = rows.map(([first, ...others]) =>
    h("tr", {}, h("th", { scope: "row" }, first), ...others.map((cell) => h("td", {}, cell))),
  );
  return h(
    "div",
    { class: "scroll", role: "region", tabindex: 0, "aria-label": caption },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...columns.map((column) => h("th", { scope: "col" }, column)))),
      h("tbody", {}, ...body),
    ),
  );
}
