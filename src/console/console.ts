import { announcementRegion } from "./announce.ts";
import { scriptPanel, webPanel } from "./caller-panels.ts";
import { h, p } from "./dom.ts";
import { explanationView } from "./explanation-view.ts";
import { accessFor, getHealth, type Health } from "./health.ts";
import { showPreferredLanguage, type TextFor } from "./language.ts";
import { findLocal, type Local } from "./local.ts";
import { localView } from "./local-view.ts";
import { operationPanel } from "./operation-panel.ts";
import { pageHeader } from "./page-header.ts";
import { snippet } from "./snippet.ts";
import { curlLine } from "./snippets.ts";
import { notice, statusLine } from "./status-view.ts";
import { tabs } from "./tabs.ts";
import { tokenForm } from "./token-form.ts";

/** The address that clients call. */
const URL_HERE = new URL("/", location.href).href;

void showPage();

async function showPage(): Promise<void> {
  showPreferredLanguage();
  const main = h(
    "main",
    { "aria-busy": "true" },
    h("h1", {}, (t) => t.tagline),
    p((t) => t.checking, "status"),
  );
  document.body.append(
    pageHeader(),
    main,
    h(
      "footer",
      {},
      p((t) => t.footer),
    ),
    announcementRegion(),
  );

  const [health, local] = await Promise.all([getHealth(), findLocal()]);
  main.replaceChildren(...serviceViews(health, local));
  main.removeAttribute("aria-busy");
}

function serviceViews(health: Health, local: Local | undefined): readonly HTMLElement[] {
  const access = accessFor(health);
  const here = local && localView(local);
  const form = (id: string, credentialLabel: TextFor) =>
    tokenForm({
      id,
      credentialLabel,
      onResponse: () => void here?.refresh(),
      explain: local && (async (credential) => explanationView(await local.explain(credential))),
    });
  return [
    h("h1", {}, (t) => t.tagline),
    statusLine(health),
    notice(health),
    snippet((t) => t.tryLine, curlLine(URL_HERE, access), "h2"),
    access === "closed" ? p((t) => t.closedHint, "hint") : undefined,
    ...tabs(
      (t) => t.tabsLabel,
      [
        {
          id: "web",
          label: (t) => t.web,
          content: webPanel(
            URL_HERE,
            access,
            form("web", (t) => t.jwt),
          ),
        },
        {
          id: "script",
          label: (t) => t.script,
          content: scriptPanel(
            URL_HERE,
            access,
            form("script", (t) => t.apiKey),
          ),
        },
        { id: "operation", label: (t) => t.operation, content: operationPanel(health, here?.element) },
      ],
    ),
  ].filter((view) => view !== undefined);
}
