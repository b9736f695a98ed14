import { readKeyFile } from "./key-file.ts";
import type { Ask, Question } from "./questions.ts";

/** Asks for the file of a private key, and returns what it holds. `issue` judges the key. `onFile` gets the path. */
export async function askKeyFile(ask: Ask, question: Question, onFile?: (path: string) => void): Promise<string> {
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
  onFile?.(path);
  return key;
}

/** Asks for the fingerprint of a key at Coze. */
export function askKid(ask: Ask, question: Question): Promise<string> {
  return ask({
    ...question,
    issue: (answer) =>
      /^[\x21-\x7e]+$/.test(answer) ? question.issue?.(answer) : "must be the fingerprint alone, without spaces",
  });
}
