import { createElement, createParagraph, factList, serviceString } from "./dom.ts";
import type { TextFor } from "./language.ts";
import type { LocalCheck, LocalComparison, LocalExplanation } from "./local-types.ts";

/** Creates the view of how the service matches a credential: its caller, and each rule of each caller. */
export function explanationView(explanation: LocalExplanation | undefined): HTMLElement {
  if (explanation === undefined) return createParagraph((t) => t.networkFailure.meaning);
  const { caller, sessionName, refusal, callers } = explanation;
  return createElement(
    "article",
    { class: caller === undefined || refusal !== undefined ? "bad" : "good" },
    createElement("h3", {}, (t) => (caller === undefined ? t.notExplained : t.explained(caller))),
    refusal === undefined ? undefined : createElement("p", {}, serviceString(refusal)),
    sessionName === undefined
      ? undefined
      : createElement("p", {}, (t) => `${t.session}: `, createElement("code", {}, sessionName)),
    ...callers.map(comparisonView),
  );
}

function comparisonView({ name, matches, checks }: LocalComparison): HTMLElement {
  return createElement(
    "section",
    { class: "comparison" },
    createElement(
      "h4",
      {},
      createElement("code", {}, name),
      " ",
      createElement("span", { class: "hint" }, (t) => (matches ? t.matching : t.notMatching)),
    ),
    createElement("ul", { class: "plain" }, ...checks.map(checkView)),
  );
}

function checkView({ rule, passes, expected, actual }: LocalCheck): HTMLElement {
  const [mark, name, kind]: readonly [string, TextFor, string] =
    passes === undefined
      ? ["–", (t) => t.notChecked, ""]
      : passes
        ? ["✓", (t) => t.passes, "good"]
        : ["✗", (t) => t.fails, "bad"];
  return createElement(
    "li",
    { class: kind },
    createElement("span", { class: "mark", "aria-hidden": "true" }, mark),
    createElement("code", {}, rule),
    " ",
    createElement("span", { class: "visually-hidden" }, name),
    passes === true ? serviceString(actual ?? "") : differenceView(expected, actual),
  );
}

function differenceView(expected: string | undefined, actual: string | undefined): HTMLElement {
  return factList(
    [(t) => t.expected, expected === undefined ? undefined : serviceString(expected)],
    [(t) => t.actual, actual === undefined ? undefined : serviceString(actual)],
  );
}
