import { h } from "./dom.ts";

const region = h("div", { class: "visually-hidden", role: "status" });

/** Creates the place where screen readers hear what has changed. The page needs it once. */
export function announcements(): HTMLElement {
  return region;
}

/** Says a sentence to screen readers, when they are done with what they say. */
export function announce(sentence: string): void {
  region.textContent = sentence;
}
