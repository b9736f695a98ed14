import { createElement, listener } from "./dom.ts";
import { chooseLanguage, currentLanguage, keepTranslated, type Language } from "./language.ts";

const LANGUAGES: readonly (readonly [Language, name: string])[] = [
  ["en", "English"],
  ["zh-CN", "中文"],
];

/** Creates the head of the page, with the switch of the language. */
export function pageHeader(): HTMLElement {
  return createElement(
    "header",
    { class: "page" },
    createElement("p", { class: "brand" }, "coze-token-worker"),
    createElement(
      "div",
      { role: "group", class: "languages", "aria-label": (t) => t.languageLabel },
      ...LANGUAGES.map(([language, name]) => languageButton(language, name)),
    ),
  );
}

function languageButton(language: Language, name: string): HTMLButtonElement {
  const onclick = listener(() => chooseLanguage(language));
  const button = createElement("button", { type: "button", class: "quiet", lang: language, onclick }, name);
  keepTranslated(button, () => button.setAttribute("aria-pressed", String(currentLanguage() === language)));
  return button;
}
