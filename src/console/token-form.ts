import { announce } from "./announce.ts";
import { createElement, createParagraph, listener } from "./dom.ts";
import { type TextFor, translate } from "./language.ts";
import { lifeText, tokenOutcomeView } from "./token-outcome-view.ts";
import { requestToken, type TokenOutcome } from "./token-request.ts";

/** What a header can hold: visible ASCII, with spaces inside only for a user id. */
const USER_ID = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;
const CREDENTIAL = /^[!-~]*$/;

const MAX_USER_ID_LENGTH = 128;
const MAX_DURATION_SECONDS = 86_399;

/** What distinguishes a token form from another one on the page, and what it reports to. */
export type TokenFormOptions = {
  /** Begins the ids of the fields: a page can have several forms. */
  readonly id: string;
  readonly credentialLabel: TextFor;
  /** Called after each response. */
  readonly onResponse: () => void;
  /** Shows more about a credential; `undefined` where nothing more is known. */
  readonly explain: ((credential: string, userId: string) => Promise<HTMLElement>) | undefined;
};

/** Creates the form that requests a token, with the place for its outcome. Nothing of it is stored. */
export function tokenForm({ id, credentialLabel, onResponse, explain }: TokenFormOptions): HTMLElement {
  const userId = field(`${id}-user`, { maxlength: MAX_USER_ID_LENGTH });
  const credential = field(`${id}-credential`, { class: "secret" });
  const duration = field(`${id}-duration`, { type: "number", min: 1, max: MAX_DURATION_SECONDS, step: 1 });
  const scope = createElement("textarea", { id: `${id}-scope`, rows: 4, autocomplete: "off", spellcheck: "false" });
  const send = createElement("button", { type: "submit", class: "main" }, (t) => t.send);
  const outcome = createElement("div", { class: "outcome" });
  const explanation =
    explain &&
    createElement("button", { type: "button", onclick: listener(() => void showExplanation()) }, (t) => t.explain);

  const form = createElement(
    "form",
    { autocomplete: "off", onsubmit: listener((event) => void submit(event)) },
    labelledField(
      userId,
      (t) => t.userId,
      (t) => t.userIdHint,
    ),
    labelledField(credential, credentialLabel, (t) => t.credentialHint),
    createElement(
      "details",
      {},
      createElement("summary", {}, (t) => t.more),
      labelledField(
        duration,
        (t) => t.duration,
        (t) => t.durationHint,
      ),
      labelledField(
        scope,
        (t) => t.scope,
        (t) => t.scopeHint,
      ),
    ),
    createElement("div", { class: "actions" }, send, explanation),
  );
  return createElement(
    "section",
    { class: "try", "aria-labelledby": `${id}-title` },
    createElement("h2", { id: `${id}-title` }, (t) => t.tryTitle),
    form,
    outcome,
  );

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (send.ariaDisabled === "true" || !isValid()) return;

    setSending(true);
    const result = await requestToken({
      userId: userId.value,
      credential: bareCredential(),
      durationSeconds: duration.value,
      scope: scope.value.trim(),
    });
    setSending(false);
    outcome.replaceChildren(tokenOutcomeView(result));
    announce(summaryFor(result));
    onResponse();
  }

  async function showExplanation(): Promise<void> {
    if (explain === undefined) return;
    credential.setCustomValidity(bareCredential() === "" ? translate((t) => t.credentialMissing) : "");
    if (!credential.reportValidity()) return;
    outcome.replaceChildren(await explain(bareCredential(), userId.value));
    announce(outcome.querySelector("h3")?.textContent ?? "");
  }

  /** People paste the whole header value. */
  function bareCredential(): string {
    return credential.value.trim().replace(/^Bearer\s+/i, "");
  }

  function isValid(): boolean {
    userId.setCustomValidity(USER_ID.test(userId.value) ? "" : translate((t) => t.userIdIssue));
    credential.setCustomValidity(CREDENTIAL.test(bareCredential()) ? "" : translate((t) => t.credentialIssue));
    scope.setCustomValidity(isJsonObject(scope.value) ? "" : translate((t) => t.scopeIssue));
    return form.reportValidity();
  }

  function setSending(isSending: boolean): void {
    send.ariaDisabled = String(isSending);
    send.replaceChildren(createElement("span", {}, isSending ? (t) => t.sending : (t) => t.send));
  }
}

function field(id: string, attributes: Readonly<Record<string, string | number>>): HTMLInputElement {
  return createElement("input", {
    id,
    type: "text",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    // Password managers would offer to store a credential.
    "data-1p-ignore": true,
    "data-lpignore": "true",
    ...attributes,
  });
}

function labelledField(control: HTMLInputElement | HTMLTextAreaElement, label: TextFor, hint: TextFor): HTMLElement {
  const hintId = `${control.id}-hint`;
  control.setAttribute("aria-describedby", hintId);
  // What was wrong may be right now.
  control.addEventListener("input", () => control.setCustomValidity(""));
  const hintLine = createParagraph(hint, "hint");
  hintLine.id = hintId;
  return createElement(
    "div",
    { class: "field" },
    createElement("label", { for: control.id }, label),
    control,
    hintLine,
  );
}

function isJsonObject(text: string): boolean {
  if (text.trim() === "") return true;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function summaryFor(outcome: TokenOutcome): string {
  if (outcome.kind === "token")
    return translate((t) => t.tokenReceived(lifeText(outcome.cacheStatus?.ttlSeconds ?? 0)(t)));
  if (outcome.kind === "error") return `${translate((t) => t.failed(outcome.error))} ${outcome.error_description}`;
  return translate((t) => (outcome.kind === "no-response" ? t.networkFailure : t.unknownFailure).meaning);
}
