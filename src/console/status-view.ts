import { createElement, createParagraph, serviceString } from "./dom.ts";
import type { Texts } from "./english.ts";
import type { Health, SettingProblem } from "./health.ts";
import type { TextFor } from "./language.ts";

const SECRETS = ["PRIVATE_KEY", "PREVIOUS_PRIVATE_KEY", "TURNSTILE_SECRET_KEY"];
const BINDINGS = ["TOKEN_CACHE", "RATE_LIMITER", "EXCHANGE_LIMITER", "METRICS", "ASSETS"];

/** Creates the line with the state of the service. */
export function statusLine(health: Health): HTMLElement {
  const parts: readonly TextFor[] =
    health.status === "ok"
      ? [(t) => t.ready, (t) => t[health.access], (t) => (health.cache === "kv" ? t.cacheKv : t.cacheMemory)]
      : [(t) => t[health.status]];
  return createElement(
    "ul",
    { class: `status ${health.status}` },
    ...parts.map((part) => createElement("li", {}, part)),
  );
}

/** Creates what the owner of the service must not overlook; `undefined` if there is nothing. */
export function notice(health: Health): HTMLElement | undefined {
  if (health.status === "misconfigured") return issuesNotice(health.problems);
  if (health.status !== "ok" || health.access === "closed") return undefined;
  return createElement(
    "section",
    { class: "notice warning", "aria-labelledby": "notice" },
    createElement("h2", { id: "notice" }, (t) => t.openTitle),
    createParagraph((t) => t.openText),
    createParagraph((t) => t.openRemedy),
  );
}

function issuesNotice(problems: readonly SettingProblem[]): HTMLElement {
  return createElement(
    "section",
    { class: "notice error", "aria-labelledby": "notice" },
    createElement("h2", { id: "notice" }, (t) => t.issuesTitle),
    createElement(
      "ul",
      { class: "issues" },
      ...problems.map(({ setting, problem }) =>
        createElement(
          "li",
          {},
          createElement("strong", {}, serviceString(`${setting} ${problem}`)),
          createParagraph((t) => remedyFor(setting, problem, t.remedies)),
        ),
      ),
    ),
    createParagraph((t) => t.tokensStopped),
  );
}

/** `CALLERS[1].issuer` is a matter of CALLERS. */
function remedyFor(setting: string, problem: string, remedies: Texts["remedies"]): string {
  if (problem.startsWith("is not a setting")) return remedies.unknown(setting);
  const name = setting.split(/[.[]/, 1)[0] ?? setting;
  if (name === "CLIENT_ID" || name === "KID" || name === "PRIVATE_KEY" || name === "CALLERS") return remedies[name];
  if (SECRETS.includes(name)) return remedies.secret(name);
  return BINDINGS.includes(name) ? remedies.binding(name) : remedies.variable(name);
}
