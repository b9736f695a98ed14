import { announce } from "./announce.ts";
import { type Child, createElement, createParagraph, listener, serviceString } from "./dom.ts";
import { type TextFor, translate } from "./language.ts";
import type { LocalApi } from "./local-api.ts";
import type { LocalCaller, LocalFault, LocalOverview, LocalRequest, LocalSetting } from "./local-types.ts";
import { table } from "./table.ts";

const FAULTS: readonly LocalFault[] = ["unavailable", "busy", "slow", "silent", "dropped", "unknown-key", "not-json"];

/** The part of the page about this machine, and how to bring it up to date. */
export type LocalView = { readonly element: HTMLElement; readonly refresh: () => Promise<unknown> };

/** Creates the part of the page that only `npm start` has: callers, settings, requests and faults. */
export function localView(local: LocalApi): LocalView {
  const content = createElement("div", {});
  show(local.overview);
  const element = createElement(
    "section",
    { class: "local", "aria-labelledby": "local" },
    createElement(
      "header",
      {},
      createElement("h2", { id: "local" }, (t) => t.localTitle),
      createElement(
        "button",
        { type: "button", class: "quiet", onclick: listener(() => void refresh()) },
        (t) => t.refresh,
      ),
    ),
    createParagraph((t) => t.localText, "hint"),
    ...(local.overview.armedFaults === undefined ? [] : [faultButtons(local, refresh)]),
    content,
  );
  return { element, refresh };

  async function refresh(): Promise<LocalOverview | undefined> {
    const overview = await local.getOverview();
    if (overview !== undefined) show(overview);
    return overview;
  }

  function show({ callers, settings, requests, armedFaults }: LocalOverview): void {
    content.replaceChildren(
      ...(armedFaults === undefined ? [] : [createParagraph((t) => t.armed(armedFaults), "hint")]),
      titledSection(
        (t) => t.requestsTitle,
        requests.length === 0 ? createParagraph((t) => t.noRequests) : requestTable(requests),
      ),
      titledSection((t) => t.callersTitle, callers ? callerTable(callers) : createParagraph((t) => t.callersBroken)),
      titledSection((t) => t.settingsTitle, settingTable(settings)),
    );
  }
}

function faultButtons(local: LocalApi, refresh: () => Promise<LocalOverview | undefined>): HTMLElement {
  const announceFaultCount = async () => {
    const overview = await refresh();
    announce(translate((t) => t.armed(overview?.armedFaults ?? 0)));
  };
  const buttons = FAULTS.map((fault) =>
    createElement(
      "button",
      { type: "button", onclick: listener(() => void local.arm(fault).then(announceFaultCount)) },
      (t) => t.faults[fault],
    ),
  );
  const disarm = createElement(
    "button",
    { type: "button", onclick: listener(() => void local.disarm().then(announceFaultCount)) },
    (t) => t.disarm,
  );
  return titledSection(
    (t) => t.faultsTitle,
    createParagraph((t) => t.faultsText, "hint"),
    createElement("div", { class: "actions" }, ...buttons, disarm),
  );
}

function titledSection(title: TextFor, ...content: readonly HTMLElement[]): HTMLElement {
  return createElement("section", {}, createElement("h3", {}, title), ...content);
}

function callerTable(callers: readonly LocalCaller[]): HTMLElement {
  const rows = callers.map(({ name, kind, properties }): readonly Child[] => [
    createElement("code", {}, name),
    (t) => t.kinds[kind],
    createElement(
      "ul",
      { class: "plain" },
      ...Object.entries(properties).map(([key, value]) =>
        createElement("li", {}, createElement("code", {}, key), ` ${value}`),
      ),
    ),
  ]);
  return table((t) => t.callersTitle, [(t) => t.name, (t) => t.kind, (t) => t.properties], rows);
}

function settingTable(settings: readonly LocalSetting[]): HTMLElement {
  const rows = settings.map(({ name, isSet, value }): readonly Child[] => [
    createElement("code", {}, name),
    createElement("span", { class: "value" }, value ?? ""),
    (t) => (isSet ? t.isSet : value === undefined ? t.notSet : t.isDefault),
  ]);
  return table((t) => t.settingsTitle, [(t) => t.name, (t) => t.value, (t) => t.state], rows);
}

function requestTable(requests: readonly LocalRequest[]): HTMLElement {
  const rows = requests.map((request): readonly Child[] => [
    new Date(request.time).toTimeString().slice(0, "09:41:03".length),
    `${request.method} ${request.path}`,
    String(request.status),
    request.cache ?? "",
    request.caller ?? "",
    `${request.durationMs} ms`,
    serviceString([request.error, request.description].filter((part) => part !== undefined).join(": ")),
  ]);
  const columns: readonly TextFor[] = [
    (t) => t.time,
    (t) => t.request,
    (t) => t.status,
    (t) => t.cache,
    (t) => t.caller,
    (t) => t.took,
    (t) => t.error,
  ];
  return table((t) => t.requestsTitle, columns, rows);
}
