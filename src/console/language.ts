import { english, type Texts } from "./english.ts";
import { simplifiedChinese } from "./simplified-chinese.ts";

/** A language of the console, as `lang` attributes name it (BCP 47). */
export type Language = "en" | "zh-CN";

/** A text of the console, in whichever language is shown. */
export type TextFor = (texts: Texts) => string;

const TEXTS: Readonly<Record<Language, Texts>> = { en: english, "zh-CN": simplifiedChinese };

/** Where the choice of the reader is remembered. Nothing else is. */
const STORAGE_KEY = "coze-token-worker-language";

/** Marks the elements whose texts change with the language. */
const MARK = "data-translated";

const updates = new WeakMap<Element, readonly (() => void)[]>();
let current: Language = "en";

/** Returns the first language of a list of preferences that the console has; English if it has none. */
function languageFor(preferences: readonly string[]): Language {
  const known = preferences.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => tag === "zh" || tag === "en");
  return known === "zh" ? "zh-CN" : "en";
}

/** Shows the language that the reader has chosen before, or else that of the browser. */
export function showPreferredLanguage(): void {
  const chosen = readChoice();
  showLanguage(chosen === undefined ? languageFor(navigator.languages) : languageFor([chosen]));
}

/** Shows a language because the reader asks for it, and remembers that where the browser allows it. */
export function chooseLanguage(language: Language): void {
  showLanguage(language);
  try {
    localStorage.setItem(STORAGE_KEY, language);
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
}

/** Returns the language that is shown. */
export function currentLanguage(): Language {
  return current;
}

/** Returns a text in the language that is shown now. */
export function translate(textFor: TextFor): string {
  return textFor(TEXTS[current]);
}

/** Runs an update of an element now, and again whenever another language is shown while the element is on the page. */
export function keepTranslated(element: Element, update: () => void): void {
  updates.set(element, [...(updates.get(element) ?? []), update]);
  element.setAttribute(MARK, "");
  update();
}

function showLanguage(language: Language): void {
  current = language;
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll(`[${MARK}]`)) {
    for (const update of updates.get(element) ?? []) update();
  }
}

function readChoice(): string | undefined {
  try {
    return localStorage.getItem(STORAGE_KEY) ?? undefined;
  } catch {
    return undefined;
  }
}
