import { createElement } from "./dom.ts";

const region = createElement("div", { class: "visually-hidden", role: "status" });

/** Returns the element whose changes screen readers read out. Add it to the page once. */
export function announcementRegion(): HTMLElement {
  return region;
}

/** Says a sentence to screen readers, when they are done with what they say. */
export function announce(sentence: string): void {
  region.textContent = sentence;
}
