import { parseEnv } from "node:util";
import { Failure } from "./failure.ts";
import { varsLine } from "./vars-file.ts";

/**
 * Sets variables in the text of a vars file: in place where a name is there, at the end otherwise. All else stays.
 * @throws Failure when the file is written in a way that this cannot edit safely: the result would not say what is meant.
 */
export function editVars(text: string, vars: Readonly<Record<string, string>>): string {
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  let edited = text;
  for (const [name, value] of Object.entries(vars)) {
    const line = varsLine(name, value);
    const definition = definitionPattern(name);
    if (definition.test(edited)) edited = edited.replace(definition, () => line);
    else edited += `${edited === "" || edited.endsWith("\n") ? "" : lineEnd}${line}${lineEnd}`;
  }
  const intended = { ...parseEnv(text), ...parseEnv(linesFor(vars)) };
  if (!isSameTable(parseEnv(edited), intended)) {
    throw new Failure(`The vars file cannot be edited safely. Set by hand: ${Object.keys(vars).join(", ")}.`);
  }
  return edited;
}

/** Whether a vars file sets a variable, even to an empty value. */
export function definesVar(text: string, name: string): boolean {
  return definitionPattern(name).test(text);
}

/** As dotenv reads it: a quoted value can go over several lines, and have quotes of its own behind backslashes. */
function definitionPattern(name: string): RegExp {
  const value = `(?:"(?:\\\\"|[^"])*"|'(?:\\\\'|[^'])*'|\`[^\`]*\`|[^\\r\\n]*)`;
  return new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*${value}`, "m");
}

function linesFor(vars: Readonly<Record<string, string>>): string {
  return Object.entries(vars)
    .map(([name, value]) => `${varsLine(name, value)}\n`)
    .join("");
}

function isSameTable(actual: NodeJS.Dict<string>, expected: NodeJS.Dict<string>): boolean {
  const names = Object.keys(expected);
  return names.length === Object.keys(actual).length && names.every((name) => actual[name] === expected[name]);
}
