import { inject } from "vitest";
import type { SolvedChallenge, Widget } from "./siteverify-server.ts";

export type TestWidget = {
  /** The settings of a Worker that relies on this widget. */
  readonly settings: { readonly TURNSTILE_SECRET_KEY: string; readonly TURNSTILE_ENDPOINT: string };
  /** What siteverify was asked, in order. */
  readonly received: () => Promise<readonly Record<string, unknown>[]>;
};

/** A challenge as a visitor of the page solves it. */
export const SOLVED: SolvedChallenge = { hostname: "app.example.com", action: "chat" };

/** Sets up a new Turnstile widget, at which the given responses have been solved. */
export async function createTestWidget(
  solved: Readonly<Record<string, SolvedChallenge>>,
  reply?: Widget["reply"],
): Promise<TestWidget> {
  const id = crypto.randomUUID();
  const secret = `secret-of-${id}`;
  const widgetsUrl = inject("widgetsUrl");
  const widget: Widget = { secret, solved, ...(reply && { reply }) };
  const response = await fetch(`${widgetsUrl}/control/${id}`, { method: "PUT", body: JSON.stringify(widget) });
  if (!response.ok) throw new Error(`The widget was not set up: ${response.status}`);

  return {
    settings: { TURNSTILE_SECRET_KEY: secret, TURNSTILE_ENDPOINT: `${widgetsUrl}/widgets/${id}/siteverify` },
    async received() {
      const response = await fetch(`${widgetsUrl}/control/${id}`);
      return (await response.json()) as Record<string, unknown>[]; // the shape of the control API
    },
  };
}
