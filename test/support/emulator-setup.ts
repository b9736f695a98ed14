import type { TestProject } from "vitest/node";
import { startEmulator } from "../../tools/emulator/server.ts";

declare module "vitest" {
  // Vitest asks for an interface here, to merge it with its own.
  // biome-ignore lint/style/useConsistentTypeDefinitions: a type alias cannot be merged.
  export interface ProvidedContext {
    /** Address of a Coze emulator that runs, in Node, for the whole test run. Each test registers an app of its own. */
    readonly emulatorUrl: string;
  }
}

/** Starts the emulator that tests inside workerd reach over loopback. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const emulator = await startEmulator();
  project.provide("emulatorUrl", emulator.url);
  return emulator.close;
}
