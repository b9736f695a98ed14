import type { TestProject } from "vitest/node";
import { createIssuers } from "./issuer-server.ts";
import { createWidgets } from "./siteverify-server.ts";
import { serve } from "./stand-in-server.ts";

declare module "vitest" {
  // Vitest asks for an interface here, to merge it with its own.
  // biome-ignore lint/style/useConsistentTypeDefinitions: a type alias cannot be merged.
  export interface ProvidedContext {
    /** Address of OIDC issuers that run, in Node, for the whole test run. Each test sets up its own. */
    readonly issuersUrl: string;
    /** Address of stand-ins for Turnstile's siteverify. */
    readonly widgetsUrl: string;
  }
}

/** Starts the issuers and the siteverify stand-ins that tests inside workerd reach over loopback. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const issuers = await serve(createIssuers());
  const widgets = await serve(createWidgets());
  project.provide("issuersUrl", issuers.url);
  project.provide("widgetsUrl", widgets.url);
  return async () => {
    await issuers.close();
    await widgets.close();
  };
}
