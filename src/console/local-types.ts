/** What `POST /local/overview` of `npm start` responds. It does not exist on a deployed Worker. */
export type LocalOverview = {
  /** `undefined` while CALLERS has issues. */
  readonly callers?: readonly LocalCaller[] | undefined;
  readonly settings: readonly LocalSetting[];
  /** The latest first. */
  readonly requests: readonly LocalRequest[];
  /** What is armed at the emulator; `undefined` if tokens come from elsewhere. */
  readonly armedFaults?: number | undefined;
};

/** A caller, without the digest of its key. */
export type LocalCaller = {
  readonly name: string;
  readonly kind: "anyone" | "anonymous" | "key" | "jwt";
  /** What its rule asks for and grants, by the names of CALLERS. */
  readonly properties: Readonly<Record<string, string>>;
};

/** A setting: its value is here only if it is known, valid and no secret. */
export type LocalSetting = { readonly name: string; readonly isSet: boolean; readonly value?: string | undefined };

/** A request, as the terminal shows it. */
export type LocalRequest = {
  /** Unix milliseconds. */
  readonly time: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly cache?: string | undefined;
  readonly caller?: string | undefined;
  readonly durationMs: number;
  readonly error?: string | undefined;
  readonly description?: string | undefined;
};

/** The names of the faults that `POST /local/faults` arms. */
export type LocalFault = "unavailable" | "busy" | "slow" | "silent" | "dropped" | "unknown-key" | "not-json";

/** What `POST /local/explain` says of a credential: what `POST /` would decide, and why. */
export type LocalExplanation = {
  /** The caller that a request with this credential has. */
  readonly caller?: string | undefined;
  /** The Coze session of that request; left out without one. */
  readonly sessionName?: string | undefined;
  /** The sentence of the error that a request with this credential gets. */
  readonly refusal?: string | undefined;
  /** How the credential compares with each caller. */
  readonly callers: readonly LocalComparison[];
};

/** A caller, and what it asks of a credential, rule by rule. */
export type LocalComparison = {
  readonly name: string;
  readonly matches: boolean;
  readonly checks: readonly LocalCheck[];
};

/** One rule. `passes` is undefined if that could not be checked. */
export type LocalCheck = {
  readonly rule: string;
  readonly passes?: boolean | undefined;
  /** What the rule wants. */
  readonly expected?: string | undefined;
  /** What the credential has; or a sentence that says what is wrong. */
  readonly actual?: string | undefined;
};
