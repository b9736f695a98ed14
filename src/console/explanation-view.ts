import { facts, h, p, said } from "./dom.ts";
import type { TextFor } from "./language.ts";
import type { LocalCheck, LocalComparison, LocalExplanation } from "./local-types.ts";

/** Creates the view of how the service matches a credential: its caller, and each rule of each caller. */
export function explanationView(explanation: LocalExplanation | undefined): HTMLElement {
  if (explanation === undefined) return p((t) => t.networkFailure.meaning);
  const { caller, sessionName, refusal, callers } = explanation;
  return h(
    "article",
    { class: caller === undefined || refusal !== undefined ? "bad" : "good" },
    h("h3", {}, (t) => (caller === undefined ? t.notExplained : t.explained(caller))),
    refusal === undefined ? undefined : h("p", {}, said(refusal)),
    sessionName === undefined ? undefined : h("p", {}, (t) => `${t.session}: `, h("code", {}, sessionName)),
    ...callers.map(comparisonView),
  );
}

function comparisonView({ name, matches, checks }: LocalComparison): HTMLElement {
  return h(
    "section",
    { class: "comparison" },
    h(
      "h4",
      {},
      h("code", {}, name),
      " ",
      h("span", { class: "hint" }, (t) => (matches ? t.matching : t.notMatching)),
    ),
    h("ul", { class: "plain" }, ...checks.map(checkView)),
  );
}

function checkView({ rule, passes, expected, actual }: LocalCheck): HTMLElement {
  const [mark, name, kind]: readonly [string, TextFor, string] =
    passes === undefined
      ? ["–", (t) => t.notChecked, ""]
      : passes
        ? ["✓", (t) => t.passes, "good"]
        : ["✗", (t) => t.fails, "bad"];
  return h(
    "li",
    { class: kind },
    h("span", { class: "mark", "aria-hidden": "true" }, mark),
    h("code", {}, rule),
    " ",
    h("span", { class: "visually-hidden" }, name),
    passes === true ? said(actual ?? "") : differenceView(expected, actual),
  );
}

function differenceView(expected: string | undefined, actual: string | undefined): HTMLElement {
  return facts(
    [(t) => t.expected, expected === undefined ? undefined : said(expected)],
    [(t) => t.actual, actual === undefined ? undefined : said(actual)],
  );
}
