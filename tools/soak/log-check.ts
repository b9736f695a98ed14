import type { Failure } from "./failure.ts";

/** An access token as Coze shapes it, a JWT, a PEM block. */
const SECRET = /czs_[\w-]{8}|eyJ[\w-]{8,}\.[\w-]{8,}|-----BEGIN/;

/** Judges the log of a Worker: no secret is in it, and no error of its own. */
export function logFailures(lines: readonly string[]): readonly Failure[] {
  return lines.flatMap((line) => [
    ...(SECRET.test(line) ? [failure("a secret is in the log", line)] : []),
    ...(line.includes('"level":"error"') ? [failure("the log tells of a bug", line)] : []),
    ...(line.includes("ncaught") ? [failure("an exception was not caught", line)] : []),
  ]);
}

function failure(problem: string, line: string): Failure {
  return { check: "log", problem: `${problem}: ${line.slice(0, 300).replaceAll(new RegExp(SECRET, "g"), "[secret]")}` };
}
