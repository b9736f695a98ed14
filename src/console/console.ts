import { announcementRegion } from "./announce.ts";
import { scriptPanel, webPanel } from "./caller-panels.ts";
import { createElement, createParagraph } from "./dom.ts";
import { explanationView } from "./explanation-view.ts";
import { accessFor, getHealth, type Health } from "./health.ts";
import { showPreferredLanguage, type TextFor } from "./language.ts";
import { findLocalApi, type LocalApi } from "./local-api.ts";
import { localView } from "./local-view.ts";
import { operationPanel } from "./operation-panel.ts";
import { pageHeader } from "./page-header.ts";
import { snippet } from "./snippet.ts";
import { curlLine } from "./snippets.ts";
import { notice, statusLine } from "./status-view.ts";
import { tabs } from "./tabs.ts";
import { tokenForm } from "./token-form.ts";

/** The address that clients call. */
const SERVICE_URL = new URL("/", location.href).href;

void showPage();

async function showPage(): Promise<void> {
  showPreferredLanguage();
  const main = createElement(
    "main",
    { "aria-busy": "true" },
    createElement("h1", {}, (t) => t.tagline),
    createParagraph((t) => t.checking, "status"),
  );
  document.body.append(
    pageHeader(),
    main,
    createElement(
      "footer",
      {},
      createParagraph((t) => t.footer),
    ),
    announcementRegion(),
  );

  const [health, local] = await Promise.all([getHealth(), findLocalApi()]);
  main.replaceChildren(...serviceViews(health, local));
  main.removeAttribute("aria-busy");
}

function serviceViews(health: Health, local: LocalApi | undefined): readonly HTMLElement[] {
  const access = accessFor(health);
  const here = local && localView(local);
  const form = (id: string, credentialLabel: TextFor) =>
    tokenForm({
      id,
      credentialLabel,
      onResponse: () => void here?.refresh(),
      explain: local && (async (credential, userId) => explanationView(await local.explain(credential, userId))),
    });
  return [
    createElement("h1", {}, (t) => t.tagline),
    statusLine(health),
    notice(health),
    snippet((t) => t.tryLine, curlLine(SERVICE_URL, access), "h2"),
    access === "closed" ? createParagraph((t) => t.closedHint, "hint") : undefined,
    ...tabs(
      (t) => t.tabsLabel,
      [
        {
          id: "web",
          label: (t) => t.web,
          content: webPanel(
            SERVICE_URL,
            access,
            form("web", (t) => t.jwt),
          ),
        },
        {
          id: "script",
          label: (t) => t.script,
          content: scriptPanel(
            SERVICE_URL,
            access,
            form("script", (t) => t.apiKey),
          ),
        },
        { id: "operation", label: (t) => t.operation, content: operationPanel(health, here?.element) },
      ],
    ),
  ].filter((view) => view !== undefined);
}
