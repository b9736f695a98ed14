import { Failure } from "./failure.ts";
import type { Choice, Prompter } from "./prompter.ts";

/** A question that is also an option. */
export type Question = {
  /** `--client-id` */
  readonly option: string;
  readonly text: string;
  /** The answer of the option. */
  readonly given: string | undefined;
  /** Taken for an empty answer, with `--yes`, and without a terminal if `isOptional`. */
  readonly initial?: string | undefined;
  /** "" is an answer. */
  readonly isOptional?: boolean;
  readonly choices?: readonly Choice[];
  /** What is wrong with an answer, as a sentence that follows the option; `undefined` if it is right. */
  readonly issue?: (answer: string) => Promise<string | undefined> | string | undefined;
};

/** Gets the answer to a question. */
export type Ask = (question: Question) => Promise<string>;

/**
 * Creates the way to get answers: from options, else from the person, if there is one. A wrong answer of a person is
 * corrected. With `--yes`, what has a default is not asked.
 * @throws Failure that names the option, when there is nobody to ask, or the option is wrong.
 */
export function createAsk(prompter: Prompter | undefined, takesDefaults: boolean): Ask {
  return async function ask(question) {
    const { option, text, given, initial, isOptional = false } = question;
    if (given !== undefined) return checkAnswer(question, given);

    const defaultAnswer = initial ?? (isOptional ? "" : undefined);
    if (defaultAnswer !== undefined && (takesDefaults || prompter === undefined)) {
      return checkAnswer(question, defaultAnswer);
    }
    if (prompter === undefined) throw new Failure(`${option} is missing, and there is no terminal to ask: ${text}`);

    for (;;) {
      const answer = await askPerson(prompter, question);
      const issue = answer === "" && !isOptional ? "is required" : await issueWith(question, answer);
      if (issue === undefined) return answer;
      prompter.say(`That does not work: it ${issue}.`);
    }
  };
}

/**
 * Checks the answers that options give, and asks nothing: so a wrong one shows before the first question.
 * @throws Failure that names the option.
 */
export const checkGiven: Ask = async (question) => {
  const { given, initial, choices } = question;
  if (given !== undefined) return checkAnswer(question, given);
  return initial ?? choices?.[0]?.value ?? "";
};

/**
 * Refuses to go on without a terminal while options are missing.
 * @throws Failure that names them all.
 */
export function refuseMissing(options: readonly string[]): void {
  if (options.length === 0) return;
  throw new Failure(`There is no terminal to ask questions in. Missing options: ${options.join(", ")}`);
}

function askPerson(prompter: Prompter, { text, initial, choices }: Question): Promise<string> {
  return choices === undefined ? prompter.text(text, initial) : prompter.select(text, choices, initial);
}

async function checkAnswer(question: Question, answer: string): Promise<string> {
  const issue = await issueWith(question, answer);
  if (issue === undefined) return answer;
  throw new Failure(`${question.option} ${issue}.`);
}

async function issueWith({ choices, issue, isOptional }: Question, answer: string): Promise<string | undefined> {
  if (answer === "") return isOptional ? undefined : "is empty";
  if (choices !== undefined && !choices.some(({ value }) => value === answer)) {
    return `must be one of ${choices.map(({ value }) => value).join(", ")}`;
  }
  return issue?.(answer);
}
