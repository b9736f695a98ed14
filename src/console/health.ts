/** Whether the service wants a credential; `undefined` if that is not known. */
export type Access = "open" | "closed" | undefined;

/** An issue with a setting, by its name and a sentence that completes "NAME …". */
export type SettingProblem = { readonly setting: string; readonly problem: string };

/** What `GET /health` says, or that nothing did. */
export type Health =
  | {
      readonly status: "ok";
      readonly access: "open" | "closed";
      readonly cache: "kv" | "memory";
      readonly version?: string;
    }
  | { readonly status: "misconfigured"; readonly problems: readonly SettingProblem[] }
  | { readonly status: "unreachable" };

/** Gets the health of the service that serves this page. */
export async function getHealth(): Promise<Health> {
  try {
    const response = await fetch("/health");
    const health: Health = await response.json(); // the contract of /health
    return health.status === "ok" || health.status === "misconfigured" ? health : { status: "unreachable" };
  } catch {
    return { status: "unreachable" };
  }
}

/** Returns whether the service wants a credential, as far as its health tells. */
export function accessFor(health: Health): Access {
  return health.status === "ok" ? health.access : undefined;
}
