import { varsLine } from "../lib/vars-file.ts";

/** Sets variables in the text of a vars file: in place where a name is there, at the end otherwise. All else stays. */
export function editVars(text: string, vars: Readonly<Record<string, string>>): string {
  let edited = text;
  for (const [name, value] of Object.entries(vars)) {
    const line = varsLine(name, value);
    const definition = definitionOf(name);
    if (definition.test(edited)) edited = edited.replace(definition, () => line);
    else edited += `${edited === "" || edited.endsWith("\n") ? "" : "\n"}${line}\n`;
  }
  return edited;
}

/** Whether a vars file names a variable, be it blank. */
export function definesVar(text: string, name: string): boolean {
  return definitionOf(name).test(text);
}

/** As dotenv reads it: a quoted value can go over several lines. */
function definitionOf(name: string): RegExp {
  return new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*(?:"[^"]*"|'[^']*'|\`[^\`]*\`|[^\\n]*)`, "m");
}
