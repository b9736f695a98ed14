import { announce } from "./announce.ts";
import { createElement, listener } from "./dom.ts";
import { type TextFor, translate } from "./language.ts";

/** How long a button says that it has copied. */
const CONFIRMATION_MS = 2000;

/** Creates a button that copies a string. `name` says which one to screen readers. */
export function copyButton(name: TextFor, text: () => string): HTMLButtonElement {
  const label = createElement("span");
  const button = createElement(
    "button",
    {
      type: "button",
      class: "quiet",
      "aria-label": (t) => `${t.copy}: ${name(t)}`,
      onclick: listener(() => void copy()),
    },
    label,
  );
  show((t) => t.copy);
  return button;

  async function copy(): Promise<void> {
    const outcome = await writeToClipboard(text());
    show(outcome);
    announce(translate(outcome));
    setTimeout(() => show((t) => t.copy), CONFIRMATION_MS);
  }

  function show(text: TextFor): void {
    label.replaceChildren(createElement("span", {}, text));
  }
}

/** The clipboard is there on https and on loopback only. */
async function writeToClipboard(text: string): Promise<TextFor> {
  try {
    await navigator.clipboard.writeText(text);
    return (t) => t.copied;
  } catch {
    return (t) => t.copyFailed;
  }
}
