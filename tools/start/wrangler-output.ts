import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import type { TerminalFormat } from "./terminal-line.ts";
import { parseWorkerLine } from "./worker-line.ts";

/** wrangler serves the port, and has loaded the Worker. */
const READY = /Ready on http/;

/** wrangler has loaded an edited file. */
const RELOADED = /Local server updated and ready/;

/** The Worker has thrown something. The lines of the stack follow, indented. */
const THROWN = /^\[wrangler:error\] (.*)/;

/** What the build of the static assets prints; it is silent unless it fails. */
const ASSETS_BUILD = /^\[custom build\] (?!Running:)(.*\S.*)/;

/** A file of the Worker cannot be built. wrangler goes on, and waits for a change of it. */
const BUILD_FAILED = /\[ERROR\].*Build failed/;

/** The details follow at once, on lines of their own. */
const DETAILS_MS = 250;

/** What wrangler adds to its errors for people who run wrangler by hand. */
const ADVICE = /If you think this is a bug|Logs were written to|newer version of Wrangler/;

export type WranglerOutput = ReturnType<typeof createWranglerOutput>;

/** Reads what wrangler prints, line by line, and shows none of it until told to. */
export function createWranglerOutput(format: TerminalFormat) {
  const hidden: string[] = [];
  const ready = Promise.withResolvers<void>();
  const buildFailed = Promise.withResolvers<void>();
  let isShown = false;

  return {
    /** Resolves when wrangler says that the Worker can be used. */
    ready: ready.promise,

    /** Resolves when the first build has failed, and `hiddenError` tells why. */
    buildFailed: buildFailed.promise,

    /** Shows, of all that wrangler writes to stdout, the lines of the Worker, reloads, and what the Worker throws. */
    readStdout(source: Readable, target: Writable): void {
      let isThrown = false;
      createInterface({ input: source }).on("line", (line) => {
        const text = stripVTControlCharacters(line);
        const workerLine = parseWorkerLine(text);
        const thrown = THROWN.exec(text)?.[1];
        const buildOutput = ASSETS_BUILD.exec(text)?.[1];
        isThrown = thrown !== undefined || (isThrown && text.startsWith(" "));
        if (workerLine !== undefined) write(target, format(workerLine, new Date()));
        else if (isThrown) write(target, thrown ?? text);
        else if (buildOutput !== undefined) write(target, buildOutput);
        else if (READY.test(text)) ready.resolve();
        else if (RELOADED.test(text)) write(target, format({ isReloaded: true }, new Date()));
      });
    },

    /** Shows wrangler's warnings and errors, in colour where the target has colours. */
    readStderr(source: Readable, target: Writable): void {
      const colored = hasColors(target);
      createInterface({ input: source }).on("line", (line) => {
        const text = stripVTControlCharacters(line);
        if (!isShown && BUILD_FAILED.test(text)) setTimeout(buildFailed.resolve, DETAILS_MS);
        if (text.trim() === "" || ADVICE.test(text)) return;
        if (!isShown) hidden.push(text);
        write(target, colored ? line : text);
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
      return hidden
        .slice(start === -1 ? hidden.length : start)
        .join("\n")
        .replace(/^\W*\[ERROR\]\s*/, "");
    },
  };

  function write(target: Writable, line: string | undefined): void {
    if (isShown && line !== undefined) target.write(`${line}\n`);
  }
}

/** Whether this is a terminal that shows colours, and its user wants them (NO_COLOR). */
export function hasColors(target: Writable): boolean {
  return "hasColors" in target && typeof target.hasColors === "function" && target.hasColors();
}
