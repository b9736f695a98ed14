import { readKeyFile } from "./key-file.ts";
import type { Ask, Question } from "./questions.ts";

/** A private key in any form in which it can be pasted, and the path of its file. */
type KeyFile = { readonly key: string; readonly path: string };

/** Asks for the file of a private key, and reads it. `issue` judges the key. */
export async function askKeyFile(ask: Ask, question: Question): Promise<KeyFile> {
  let key = "";
  const path = await ask({
    ...question,
    async issue(path) {
      const read = await readKeyFile(path);
      if ("issues" in read) return read.issues[0]?.message;
      key = read.value;
      return question.issue?.(key);
    },
  });
  return { key, path };
}

/** Asks for the fingerprint of a key at Coze. */
export function askKid(ask: Ask, question: Question): Promise<string> {
  return ask({
    ...question,
    issue: (answer) =>
      /^[\x21-\x7e]+$/.test(answer) ? question.issue?.(answer) : "must be the fingerprint alone, without spaces",
  });
}
