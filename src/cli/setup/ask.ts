/** Plain questions: a line, a default in brackets, and another try when the answer can't be used. */

/** Someone who is asked. The whole conversation goes through here, so that a test can hold it. */
export interface Person {
  /** Says a text of any length; it is broken into lines. */
  say(text: string): void;
  /** Shows a line that must not be broken: a command to copy, a line of a file. */
  show(line: string): void;
  /** Asks for one line. Rejects when the conversation is broken off. */
  ask(question: string): Promise<string>;
}

export interface TextQuestion {
  readonly question: string;
  /** Taken when Enter is pressed. */
  readonly usual?: string | undefined;
  /** What is wrong with an answer, for people; undefined when it will do. */
  readonly check?: (answer: string) => string | undefined | Promise<string | undefined>;
}

/** An answer that passes the check. */
export async function askText(person: Person, { question, usual, check }: TextQuestion): Promise<string> {
  for (;;) {
    const typed = (await person.ask(`${question}${usual === undefined ? "" : ` [${usual}]`}: `)).trim();
    const answer = typed === "" ? usual : typed;
    if (answer === undefined) {
      person.say("Please type an answer. Ctrl+C ends the set-up.");
      continue;
    }
    const wrong = await check?.(answer);
    if (wrong === undefined) return answer;
    person.say(wrong);
  }
}

export async function askYesNo(person: Person, question: string, usual: boolean): Promise<boolean> {
  for (;;) {
    const answer = (await person.ask(`${question} [${usual ? "Y/n" : "y/N"}] `)).trim().toLowerCase();
    if (answer === "") return usual;
    if (["y", "yes"].includes(answer)) return true;
    if (["n", "no"].includes(answer)) return false;
    person.say(`Please type y for yes or n for no, or press Enter for ${usual ? "yes" : "no"}.`);
  }
}

export interface Option<T> {
  readonly label: string;
  readonly value: T;
}

/** One of several, chosen by number. `usual` is the value that Enter takes. */
export async function askChoice<T>(
  person: Person,
  question: string,
  options: readonly Option<T>[],
  usual: T = options[0]?.value as T,
): Promise<T> {
  const preset =
    Math.max(
      0,
      options.findIndex(({ value }) => value === usual),
    ) + 1;
  person.say(`${question}\n${options.map(({ label }, index) => `  ${index + 1}  ${label}`).join("\n")}`);
  for (;;) {
    const typed = (await person.ask(`Number [${preset}]: `)).trim();
    const chosen = typed === "" ? preset : /^\d+$/.test(typed) ? Number(typed) : 0;
    const option = options[chosen - 1];
    if (option !== undefined) return option.value;
    person.say(`Please type a number from 1 to ${options.length}, or press Enter for ${preset}.`);
  }
}
