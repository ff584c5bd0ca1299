import { Failure } from "../../library/failure.ts";
import { accountOf, type CommandContext, portsOf } from "../context.ts";
import { askChoice, askYesNo, type Person } from "./ask.ts";

/** Signs in if the person wants to, as often as it takes. Returns whether it has worked. */
export async function offerSignIn(context: CommandContext, person: Person): Promise<boolean> {
  person.say(
    "Apple has to let kei in once: with your password, and with a code that appears on your iPhone, iPad or Mac. The password goes to Apple only.",
  );
  if (!(await askYesNo(person, "Sign in now?", true))) return false;
  const { signIn } = await context.sync();
  for (;;) {
    try {
      const account = accountOf(context);
      // A person asks for it: a password that Apple has refused before may be the right one by now (DECISIONS 18).
      await signIn({ ...account, password: { ...account.password, interactive: true } }, portsOf(context));
      person.say("You are signed in, and this computer is trusted from now on.");
      return true;
    } catch (error) {
      if (!(error instanceof Failure) || context.stop.aborted) throw error;
      person.say(`That did not work: ${error.message}.${error.remedy === undefined ? "" : ` ${error.remedy}`}`);
      const again = await askChoice(person, "And now?", [
        { label: "Try again", value: true },
        { label: "Go on without signing in; the first sync asks again", value: false },
      ]);
      if (!again) return false;
    }
  }
}
