import * as clack from "@clack/prompts";

/** One of several answers. */
export type Choice = { readonly value: string; readonly label: string };

/** A person who can be asked. Each question rejects with {@link Interrupted} on Ctrl-C. */
export type Prompter = {
  readonly select: (question: string, choices: readonly Choice[], initial?: string) => Promise<string>;
  /** An empty answer is `initial`, or "" without one. */
  readonly text: (question: string, initial?: string) => Promise<string>;
  readonly confirm: (question: string, initial: boolean) => Promise<boolean>;
  readonly say: (text: string) => void;
};

/** The person has pressed Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** The person at the terminal. */
export const terminal: Prompter = {
  select: (message, choices, initial) =>
    answerOf(clack.select({ message, options: [...choices], ...(initial !== undefined && { initialValue: initial }) })),
  text: async (message, initial) => {
    const options = initial !== undefined && { placeholder: initial, defaultValue: initial };
    return (await answerOf(clack.text({ message, ...options })))?.trim() ?? "";
  },
  confirm: (message, initialValue) => answerOf(clack.confirm({ message, initialValue })),
  say: (text) => clack.log.message(text),
};

/** Waits for an answer. Ctrl-D closes the terminal and leaves clack's promise open, so that the process would just end. */
async function answerOf<Value>(asked: Promise<Value | typeof clack.CANCEL_SYMBOL>): Promise<Value> {
  let interrupt = () => {};
  const closed = new Promise<never>((_, reject) => {
    interrupt = () => reject(new Interrupted());
    process.once("beforeExit", interrupt);
  });
  try {
    const answer = await Promise.race([asked, closed]);
    if (clack.isCancel(answer)) throw new Interrupted();
    return answer as Value; // what is no cancellation
  } finally {
    process.off("beforeExit", interrupt);
  }
}
