import { createElement, listener } from "./dom.ts";
import type { TextFor } from "./language.ts";

/** A part of the page that is shown by itself. Its id is the fragment of the URL that opens it. */
export type Tab = { readonly id: string; readonly label: TextFor; readonly content: HTMLElement };

/** Creates tabs (ARIA Authoring Practices, "Tabs"): arrow keys move, and the URL's fragment names the tab. */
export function tabs(label: TextFor, all: readonly Tab[]): readonly HTMLElement[] {
  const buttons = all.map(({ id, label }, index) =>
    createElement(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${id}`,
        onclick: listener(() => choose(index)),
        onkeydown: listener((event) => moveWith(event, index)),
      },
      label,
    ),
  );
  const panels = all.map(({ id, content }) =>
    createElement("section", { role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}` }, content),
  );
  buttons.forEach((button, index) => {
    button.setAttribute("aria-controls", panels[index]?.id ?? "");
  });
  open(Math.max(0, indexInAddress()));
  addEventListener("hashchange", () => indexInAddress() >= 0 && open(indexInAddress()));
  return [createElement("div", { role: "tablist", "aria-label": label }, ...buttons), ...panels];

  function indexInAddress(): number {
    return all.findIndex(({ id }) => location.hash === `#${id}`);
  }

  function choose(index: number): void {
    open(index);
    history.replaceState(null, "", `#${all[index]?.id}`);
  }

  function open(chosen: number): void {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
    });
    panels.forEach((panel, index) => {
      panel.hidden = index !== chosen;
    });
  }

  function moveWith(event: Event, from: number): void {
    if (!(event instanceof KeyboardEvent)) return;
    const last = buttons.length - 1;
    const targets: Readonly<Record<string, number>> = {
      ArrowRight: from === last ? 0 : from + 1,
      ArrowLeft: from === 0 ? last : from - 1,
      Home: 0,
      End: last,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    choose(target);
    buttons[target]?.focus();
  }
}
