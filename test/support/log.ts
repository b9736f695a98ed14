import { vi } from "vitest";

/** One entry of the log. */
export type Line = Readonly<Record<string, unknown>>;

export type RecordedLog = {
  /** Everything that was written. */
  readonly text: () => string;
  /** The entries of one event, in order. */
  readonly events: (event: string) => readonly Line[];
};

/** Records what is written to the console, instead of writing it, until all mocks are restored. */
export function recordLog(): RecordedLog {
  const logged: string[] = [];
  for (const level of ["debug", "log", "info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((...words) => {
      logged.push(words.join(" "));
    });
  }
  return {
    text: () => logged.join("\n"),
    events: (event) => logged.map((line): Line => JSON.parse(line)).filter((line) => line["event"] === event),
  };
}
