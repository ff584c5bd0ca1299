import { Failure } from "../../library/failure.ts";
import { accountOf, type CommandContext, credentialsOf, portsOf } from "../context.ts";
import { askChoice, askYesNo, type Person } from "./ask.ts";

/** How it went; `back`: the person wants to answer the questions once more. */
export type SignedIn = "yes" | "no" | "back";

/** Signs in if the person wants to, as often as it takes. */
export async function offerSignIn(given: CommandContext, person: Person): Promise<SignedIn> {
  person.say(
    "Apple has to let kei in once: with your password, and with a code that appears on your iPhone, iPad or Mac. The password goes to Apple only.",
  );
  if (!(await askYesNo(person, "Sign in now?", true))) return "no";
  const save = await offerToStore(given, person);
  const context = { ...given, settings: { ...given.settings, savePassword: save } };
  const { signIn } = await context.sync();
  for (;;) {
    try {
      const account = accountOf(context);
      await signIn(account, portsOf(context));
      person.say("You are signed in, and this computer is trusted from now on.");
      if (save) await tellWhereStored(context, person);
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

/** Whether the password shall be stored. Not asked where it has a place already. */
async function offerToStore(context: CommandContext, person: Person): Promise<boolean> {
  const { password, passwordFile, passwordCommand, watchInterval } = context.settings;
  if (password !== undefined || passwordFile !== undefined || passwordCommand !== undefined) return false;
  if ((await credentialsOf(context).backend()) !== "none") return false;
  person.say(
    "The sign-in lasts for weeks. After that kei asks for the password again, unless it is stored: in this computer's keyring, else in an encrypted file.",
  );
  return askYesNo(person, "Store the password once Apple has accepted it?", watchInterval !== undefined);
}

async function tellWhereStored(context: CommandContext, person: Person): Promise<void> {
  const backend = await credentialsOf(context).backend();
  person.say(
    backend === "none"
      ? "Apple did not ask for the password, so it was not stored. `kei password set` stores it."
      : `The password is stored in ${backend === "keyring" ? "the keyring" : "an encrypted file"}; \`kei password clear\` deletes it.`,
  );
}
