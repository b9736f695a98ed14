import type { DeployPorts } from "../deploy/deploy.ts";
import type { Project } from "../lib/project.ts";
import type { Prompter } from "../lib/prompter.ts";
import type { CozePorts } from "./coze-check.ts";
import type { PairOptions } from "./key-pairs.ts";

/** What the command line says about a rotation. */
export type RotateOptions = PairOptions & {
  /** Where the service responds; by default, where wrangler says. */
  readonly url?: URL;
  /** `false` is `--no-token-check`: no check requests a new token of the service. */
  readonly tokenCheck: boolean;
  /** Goes on without asking. */
  readonly yes: boolean;
  readonly dryRun: boolean;
};

/** What a rotation needs of the outside: wrangler, Coze, the service, a person and a clock. */
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

/** What each step may use. It reads the files itself, because a person may edit them between two steps. */
export type Context = Pick<Project, "root" | "env"> & { readonly options: RotateOptions; readonly ports: RotatePorts };
