import { announce } from "./announce.ts";
import { type Child, h, on, p, said } from "./dom.ts";
import { type TextFor, translate } from "./language.ts";
import type { Local } from "./local.ts";
import type { LocalCaller, LocalFault, LocalOverview, LocalRequest, LocalSetting } from "./local-types.ts";
import { table } from "./table.ts";

const FAULTS: readonly LocalFault[] = ["unavailable", "busy", "slow", "silent", "dropped", "unknown-key", "not-json"];

/** The part of the page about this machine, and how to bring it up to date. */
export type LocalView = { readonly element: HTMLElement; readonly refresh: () => Promise<unknown> };

/** Creates the part of the page that only `npm start` has: callers, settings, requests and faults. */
export function localView(local: Local): LocalView {
  const content = h("div", {});
  show(local.overview);
  const element = h(
    "section",
    { class: "local", "aria-labelledby": "local" },
    h(
      "header",
      {},
      h("h2", { id: "local" }, (t) => t.localTitle),
      h("button", { type: "button", class: "quiet", onclick: on(() => void refresh()) }, (t) => t.refresh),
    ),
    p((t) => t.localText, "hint"),
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
      ...(armedFaults === undefined ? [] : [p((t) => t.armed(armedFaults), "hint")]),
      titled((t) => t.requestsTitle, requests.length === 0 ? p((t) => t.noRequests) : requestTable(requests)),
      titled((t) => t.callersTitle, callers ? callerTable(callers) : p((t) => t.callersBroken)),
      titled((t) => t.settingsTitle, settingTable(settings)),
    );
  }
}

function faultButtons(local: Local, refresh: () => Promise<LocalOverview | undefined>): HTMLElement {
  const sayArmed = async () => {
    const overview = await refresh();
    announce(translate((t) => t.armed(overview?.armedFaults ?? 0)));
  };
  const buttons = FAULTS.map((fault) =>
    h("button", { type: "button", onclick: on(() => void local.arm(fault).then(sayArmed)) }, (t) => t.faults[fault]),
  );
  const disarm = h(
    "button",
    { type: "button", onclick: on(() => void local.disarm().then(sayArmed)) },
    (t) => t.disarm,
  );
  return titled(
    (t) => t.faultsTitle,
    p((t) => t.faultsText, "hint"),
    h("div", { class: "actions" }, ...buttons, disarm),
  );
}

function titled(title: TextFor, ...content: readonly HTMLElement[]): HTMLElement {
  return h("section", {}, h("h3", {}, title), ...content);
}

function callerTable(callers: readonly LocalCaller[]): HTMLElement {
  const rows = callers.map(({ name, kind, properties }): readonly Child[] => [
    h("code", {}, name),
    (t) => t.kinds[kind],
    h(
      "ul",
      { class: "plain" },
      ...Object.entries(properties).map(([key, value]) => h("li", {}, h("code", {}, key), ` ${value}`)),
    ),
  ]);
  return table((t) => t.callersTitle, [(t) => t.name, (t) => t.kind, (t) => t.properties], rows);
}

function settingTable(settings: readonly LocalSetting[]): HTMLElement {
  const rows = settings.map(({ name, isSet, value }): readonly Child[] => [
    h("code", {}, name),
    h("span", { class: "value" }, value ?? ""),
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
    said([request.error, request.description].filter((part) => part !== undefined).join(": ")),
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
