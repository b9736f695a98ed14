import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";

/** wrangler serves the port, and has loaded the Worker. */
const READY = /Ready on http/;

/** Lines that come once, around the ready message: they say the same, or tell of the question that led to it. */
const ANNOUNCEMENTS = [READY, /"event":"ready"/, /GET \/health \d/];

/** A file of the Worker cannot be built. wrangler goes on, and waits for a change of it. */
const BUILD_FAILED = /\[ERROR\].*Build failed/;

/** The details follow at once, on lines of their own. */
const DETAILS_MS = 250;

/** What wrangler adds to its errors for people who run wrangler by hand. */
const ADVICE = /If you think this is a bug|Logs were written to|newer version of Wrangler/;

export type WranglerOutput = ReturnType<typeof createWranglerOutput>;

/** Reads what wrangler prints, line by line, and shows none of it until told to. */
export function createWranglerOutput() {
  const announcements = [...ANNOUNCEMENTS];
  const hidden: string[] = [];
  const ready = Promise.withResolvers<void>();
  const buildFailed = Promise.withResolvers<void>();
  let isShown = false;

  return {
    /** Resolves when wrangler says that the Worker can be used. */
    ready: ready.promise,

    /** Resolves when the first build has failed, and `hiddenError` tells why. */
    buildFailed: buildFailed.promise,

    /** Passes the lines of `source` on to `target`, in colour where the target has colours. */
    read(source: Readable, target: Writable): void {
      const colored = hasColors(target);
      createInterface({ input: source }).on("line", (line) => {
        const text = stripVTControlCharacters(line);
        if (READY.test(text)) ready.resolve();
        if (!isShown && BUILD_FAILED.test(text)) setTimeout(buildFailed.resolve, DETAILS_MS);
        if (isAnnouncement(text)) return;
        if (isShown) target.write(`${colored ? line : text}\n`);
        else hidden.push(text);
      });
    },

    /** Shows what comes from now on. What came before has no part in a later failure. */
    show(): void {
      isShown = true;
      hidden.length = 0;
    },

    hide(): void {
      isShown = false;
    },

    /** The first error among the lines that were not shown, in wrangler's words; empty when there is none. */
    hiddenError(): string {
      const start = hidden.findIndex((line) => line.includes("[ERROR]"));
      if (start === -1) return "";
      const lines = hidden.slice(start).filter((line) => line.trim() !== "" && !ADVICE.test(line));
      return lines.join("\n").replace(/^\W*\[ERROR\]\s*/, "");
    },
  };

  function isAnnouncement(text: string): boolean {
    const index = announcements.findIndex((announcement) => announcement.test(text));
    if (index !== -1) announcements.splice(index, 1);
    return index !== -1;
  }
}

/** Whether this is a terminal that shows colours, and its user wants them (NO_COLOR). */
export function hasColors(target: Writable): boolean {
  return "hasColors" in target && typeof target.hasColors === "function" && target.hasColors();
}
