import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";

/** Lines that come once, around the time of the ready message: they repeat it, or tell of the question behind it. */
const ANNOUNCEMENTS = [/Ready on http/, /GET \/health \d/];

/** What wrangler adds to its errors for people who run wrangler by hand. */
const ADVICE = /If you think this is a bug|Logs were written to|newer version of Wrangler/;

export type WranglerOutput = ReturnType<typeof createWranglerOutput>;

/** Reads what wrangler prints, line by line, and shows none of it until told to. */
export function createWranglerOutput() {
  const announcements = [...ANNOUNCEMENTS];
  const hidden: string[] = [];
  let isShown = false;

  return {
    /** Passes the lines of `source` on to `target`, in colour where the target has colours. */
    read(source: Readable, target: Writable): void {
      const colored = hasColors(target);
      createInterface({ input: source }).on("line", (line) => {
        const text = stripVTControlCharacters(line);
        if (isAnnouncement(text)) return;
        if (isShown) target.write(`${colored ? line : text}\n`);
        else hidden.push(text);
      });
    },

    show(): void {
      isShown = true;
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
