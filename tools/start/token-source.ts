/** Where the Worker's tokens come from, and its settings with them. */
export type TokenSource = {
  /** What makes wrangler give these settings to the Worker. */
  readonly wranglerArguments: readonly string[];
  /** Names the file that a setting comes from, or is missing in. */
  fileOf(setting: string): Promise<string>;
  /** Says who issues the tokens, and what else is good to know. Only for settings that the Worker found right. */
  describe(): Promise<{ readonly origin: string; readonly hints: readonly string[] }>;
  close(): Promise<void>;
};
