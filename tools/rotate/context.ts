import type { DeployPorts } from "../deploy/deploy.ts";
import type { Project } from "../lib/project.ts";
import type { Prompter } from "../setup/prompter.ts";
import type { CozePorts } from "./coze-check.ts";
import type { PairFlags } from "./key-pairs.ts";

export type RotateOptions = PairFlags & {
  /** Where the service responds; by default, where wrangler says. */
  readonly url?: URL;
  /** Goes on without asking. */
  readonly yes: boolean;
  readonly dryRun: boolean;
};

export type RotatePorts = DeployPorts &
  CozePorts & {
    /** `undefined` without a terminal. */
    readonly prompter: Prompter | undefined;
    /** The key file to suggest. */
    readonly keyFile: string | undefined;
    /** Of a caller: an API key or a JWT, to request a token of a closed service. */
    readonly credential: string | undefined;
    /** Milliseconds since 1970. */
    readonly now: () => number;
  };

/** What each step may use. */
export type Context = { readonly project: Project; readonly options: RotateOptions; readonly ports: RotatePorts };
