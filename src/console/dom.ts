import { keepTranslated, type TextFor, translate } from "./language.ts";

/** What an element holds. A function is a translated string, in which `backticks` make code. */
export type Child = Node | string | TextFor | undefined;

/** Attributes by name, and listeners as `onclick` and the like. */
type Attributes = Readonly<Record<string, Attribute>>;
type Attribute = string | number | boolean | undefined | TextFor | Listener;
type Listener = { readonly listener: (event: Event) => void };

/** Creates an element. Strings become text, never HTML; a function stays in step with the language. */
export function createElement<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children.filter((child) => child !== undefined).map(nodeFor));
  return element;
}

/** Makes a listener out of a function, to tell it from a translated string. */
export function listener(handle: (event: Event) => void): Listener {
  return { listener: handle };
}

/** Creates a paragraph that holds one translated string. */
export function createParagraph(text: TextFor, className?: string): HTMLParagraphElement {
  return createElement("p", { class: className }, text);
}

/** Creates a string that comes from the service. It is English, whatever the language of the page. */
export function serviceString(text: string): HTMLElement {
  return createElement("span", { lang: "en" }, text);
}

/** Creates a list of names with what belongs to each. Entries without a value are left out. */
export function factList(...entries: readonly (readonly [name: TextFor, value: Child])[]): HTMLDListElement {
  const shown = entries.filter(([, value]) => value !== undefined);
  return createElement(
    "dl",
    {},
    ...shown.map(([name, value]) =>
      createElement("div", {}, createElement("dt", {}, name), createElement("dd", {}, value)),
    ),
  );
}

function setAttribute(element: HTMLElement, name: string, value: Attribute): void {
  if (typeof value === "object") element.addEventListener(name.replace(/^on/, ""), value.listener);
  else if (typeof value === "function") keepTranslated(element, () => element.setAttribute(name, translate(value)));
  else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
}

function nodeFor(child: Exclude<Child, undefined>): Node | string {
  if (typeof child !== "function") return child;
  const holder = document.createElement("span");
  keepTranslated(holder, () => holder.replaceChildren(...withCode(translate(child))));
  return holder;
}

/** Every second part of a text with `backticks` is code. */
function withCode(text: string): readonly (Node | string)[] {
  return text.split("`").map((part, index) => {
    if (index % 2 === 0) return part;
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}
