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
  select: async (message, choices, initial) =>
    answered(
      await clack.select({ message, options: [...choices], ...(initial !== undefined && { initialValue: initial }) }),
    ),
  text: async (message, initial) =>
    answered(
      await clack.text({ message, ...(initial !== undefined && { placeholder: initial, defaultValue: initial }) }),
    )?.trim() ?? "",
  confirm: async (message, initialValue) => answered(await clack.confirm({ message, initialValue })),
  say: (text) => clack.log.message(text),
};

function answered<Value>(answer: Value | typeof clack.CANCEL_SYMBOL): Value {
  if (clack.isCancel(answer)) throw new Interrupted();
  return answer as Value; // what is no cancellation
}
