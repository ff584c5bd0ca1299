import { Failure } from "../../library/failure.ts";
import { type Account, accountOf, type CommandContext, credentialsOf, portsOf } from "../context.ts";
import { askChoice, askYesNo, type Person } from "./ask.ts";

/** How it went; `back`: the person wants to answer the questions once more. */
export type SignedIn = "yes" | "no" | "back";

/** Signs in if the person wants to, as often as it takes. */
export async function offerSignIn(context: CommandContext, person: Person): Promise<SignedIn> {
  person.say(
    "Apple has to let kei in once: with your password, and with a code that appears on your iPhone, iPad or Mac. The password goes to Apple only.",
  );
  if (!(await askYesNo(person, "Sign in now?", true))) return "no";
  const { signIn } = await context.sync();
  for (;;) {
    try {
      const account = accountOf(context);
      const password = overheard(account.password);
      await signIn({ ...account, password }, portsOf(context));
      person.say("You are signed in, and this computer is trusted from now on.");
      if (password.proven !== undefined) await offerToStore(password.proven, context, person);
      return "yes";
    } catch (error) {
      if (!(error instanceof Failure) || context.stop.aborted) throw error;
      person.say(`That did not work. ${sentence(error)}`);
      const next = await askChoice<"again" | "no" | "back">(person, "And now?", [
        { label: "Try again", value: "again" },
        { label: "Go back to the questions, the Apple ID first", value: "back" },
        { label: "Go on without signing in; the first sync asks again", value: "no" },
      ]);
      if (next !== "again") return next;
    }
  }
}

/** A failure with its way out. */
export function sentence({ message, remedy }: Failure): string {
  return `${message.replace(/\.$/, "")}.${remedy === undefined ? "" : ` ${remedy}`}`;
}

/** The source as it is, and what Apple has accepted of it: a password can be stored only while it is known. */
function overheard(source: Account["password"]): Account["password"] & { readonly proven: string | undefined } {
  let last: string | undefined;
  let proven: string | undefined;
  const note = async (reading: Promise<string>): Promise<string> => {
    last = await reading;
    return last;
  };
  const { ask } = source;
  return {
    get name() {
      return source.name;
    },
    get interactive() {
      return source.interactive;
    },
    get isUnsaved() {
      return source.isUnsaved;
    },
    read: () => note(source.read()),
    ...(ask === undefined ? {} : { ask: () => note(ask()) }),
    accepted: () => {
      proven = last;
      return source.accepted();
    },
    get proven() {
      return source.interactive ? proven : undefined;
    },
  };
}

/** Asked only about a password that was typed: any other has its place already. */
async function offerToStore(password: string, context: CommandContext, person: Person): Promise<void> {
  person.say(
    "The sign-in lasts for weeks. After that kei asks for the password again, unless it is stored: in this computer's keyring, else in an encrypted file.",
  );
  if (!(await askYesNo(person, "Store the password?", context.settings.watchInterval !== undefined))) return;
  try {
    const backend = await credentialsOf(context).set(password);
    const place = backend === "keyring" ? "the keyring" : "an encrypted file";
    person.say(`The password is stored in ${place}; \`kei password clear\` deletes it.`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    person.say(`It could not be stored. ${sentence(error)} \`kei password set\` tries again.`);
  }
}
