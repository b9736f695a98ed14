import { copyButton } from "./copy-button.ts";
import { createElement, factList, listener, serviceString } from "./dom.ts";
import type { ErrorText } from "./english.ts";
import { keepTranslated, type TextFor, translate } from "./language.ts";
import type { TokenOutcome } from "./token-request.ts";

type TokenReceived = Extract<TokenOutcome, { kind: "token" }>;
type ErrorOutcome = Extract<TokenOutcome, { kind: "error" }>;

/** As many as hide how long a token is. */
const MASK = "•".repeat(24);

/** The start of every token of Coze says nothing about the token. */
const SHOWN_START = /^czs_|^/;

const TICK_MS = 1000;
const SECONDS_PER_MINUTE = 60;

/** Creates the view of what came back for a request: a token, masked until it is revealed, or an error explained. */
export function tokenOutcomeView(outcome: TokenOutcome): HTMLElement {
  if (outcome.kind === "token") return tokenView(outcome);
  if (outcome.kind === "error") return failureView(outcome);
  if (outcome.kind === "no-response") return explainedView(undefined, (t) => t.networkFailure);
  return explainedView(outcome.status, (t) => t.unknownFailure);
}

/** Returns seconds as minutes and seconds. */
export function lifeText(seconds: number): TextFor {
  return (t) => t.life(Math.floor(seconds / SECONDS_PER_MINUTE), seconds % SECONDS_PER_MINUTE);
}

function tokenView(received: TokenReceived): HTMLElement {
  const { token, cacheStatus, requestId } = received;
  return createElement(
    "article",
    { class: "good" },
    createElement("h3", {}, createElement("span", { class: "badge" }, "200"), (t) => t.result),
    maskedToken(token),
    factList(
      [(t) => t.lifeLeft, cacheStatus && countdown(received, cacheStatus.ttlSeconds)],
      [(t) => t.origin, cacheStatus && ((t) => t.cacheOutcomes[cacheStatus.outcome])],
      [(t) => t.requestId, requestId === undefined ? undefined : createElement("code", {}, requestId)],
    ),
  );
}

function maskedToken(token: string): HTMLElement {
  let isRevealed = false;
  const shown = createElement("code", { class: "token", translate: "no" });
  const label = createElement("span");
  const toggle = createElement(
    "button",
    { type: "button", class: "quiet", onclick: listener(() => show(!isRevealed)) },
    label,
  );
  show(false);
  return createElement(
    "div",
    { class: "token-row" },
    shown,
    createElement(
      "div",
      { class: "actions" },
      toggle,
      copyButton(
        (t) => t.token,
        () => token,
      ),
    ),
  );

  function show(revealed: boolean): void {
    isRevealed = revealed;
    shown.textContent = revealed ? token : `${SHOWN_START.exec(token)?.[0] ?? ""}${MASK}`;
    label.replaceChildren(createElement("span", {}, revealed ? (t) => t.hide : (t) => t.reveal));
  }
}

/** Counts from when the token was received: nobody's clock is compared with another. */
function countdown({ receivedAt }: TokenReceived, ttlSeconds: number): HTMLElement {
  const text = createElement("span", { class: "countdown" });
  const bar = createElement("progress", { max: ttlSeconds, "aria-label": (t) => t.lifeLeft });
  keepTranslated(text, update);
  const timer = setInterval(() => (text.isConnected ? update() : clearInterval(timer)), TICK_MS);
  return createElement("span", {}, text, bar);

  function update(): void {
    const left = Math.max(0, Math.ceil(ttlSeconds - (Date.now() - receivedAt) / TICK_MS));
    text.textContent = translate(left > 0 ? lifeText(left) : (t) => t.expired);
    bar.value = left;
  }
}

function failureView({
  status,
  error,
  error_description,
  request_id,
  retryAfter,
  coze,
  problems,
}: ErrorOutcome): HTMLElement {
  // An error of a later version of the service has no row.
  return explainedView(status, (t) => t.errors[error] ?? t.unknownFailure, {
    code: error,
    sentence: error_description,
    details: factList(
      [(t) => t.retryAfter, retryAfter === undefined ? undefined : (t) => t.retryAfterSeconds(retryAfter)],
      [(t) => t.coze, coze && serviceString(Object.values(coze).join(" · "))],
      [
        (t) => t.settings,
        problems && serviceString(problems.map(({ setting, problem }) => `${setting} ${problem}`).join("; ")),
      ],
      [(t) => t.requestId, createElement("code", {}, request_id)],
    ),
  });
}

type ServiceError = { readonly code: string; readonly sentence: string; readonly details: HTMLElement };

function explainedView(
  status: number | undefined,
  row: (t: Parameters<TextFor>[0]) => ErrorText,
  serviceError?: ServiceError,
) {
  return createElement(
    "article",
    { class: "bad" },
    createElement(
      "h3",
      {},
      status === undefined ? undefined : createElement("span", { class: "badge" }, String(status)),
      serviceError ? createElement("code", {}, serviceError.code) : (t) => t.result,
    ),
    serviceError && createElement("p", { lang: "en" }, serviceError.sentence),
    factList([(t) => t.meaning, (t) => row(t).meaning], [(t) => t.remedy, (t) => row(t).remedy]),
    serviceError?.details,
  );
}
