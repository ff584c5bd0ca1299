import type { FlagGroup } from "../config/types.ts";
import type { ExitCode } from "../library/failure.ts";
import type { CommandContext } from "./context.ts";

/** A command: what it takes, what it says of itself, and where its work is done. */
export interface CommandSpec {
  readonly help: string;
  /** Groups of settings that are flags of this command; those on `all` always are. */
  readonly flags: readonly FlagGroup[];
  /** Required words behind the command, as shown in help. */
  readonly positionals?: readonly string[];
  readonly subcommands?: Readonly<Record<string, CommandSpec>>;
  /** It runs also when the settings can't be used, and is told what is wrong with them. */
  readonly anyway?: true;
  /** Absent where a subcommand must be named. */
  readonly run?: (context: CommandContext) => Promise<ExitCode>;
}

/** What says how a sync goes. */
const SYNC_FLAGS = [
  "account",
  "save-password",
  "folder",
  "library",
  "selection",
  "sync",
  "caution",
] as const satisfies readonly FlagGroup[];

/** Every command of kei. Each is loaded only when it is called, which keeps the start short. */
export const COMMANDS: Readonly<Record<string, CommandSpec>> = {
  sync: {
    help: "Save what is new in iCloud to the download folder",
    flags: SYNC_FLAGS,
    run: async (context) => (await import("./sync.ts")).sync(context),
  },
  status: {
    help: "Tell how far the backup is, what failed and what to do about it",
    flags: ["status", "json"],
    run: async (context) => (await import("./status.ts")).status(context),
  },
  why: {
    help: "Tell where one photo is, or what keeps it away and what to do about it",
    flags: ["json"],
    positionals: ["NAME-OR-ID"],
    run: async (context) => (await import("./why.ts")).why(context),
  },
  manifest: {
    help: "Write down every file with its place, checksum and dates, as JSON or CSV",
    flags: ["manifest"],
    run: async (context) => (await import("./manifest.ts")).manifest(context),
  },
  verify: {
    help: "Prove that what is saved is there, and that nothing is missing",
    flags: ["verify", "folder", "json", "account", "library", "selection"],
    run: async (context) => (await import("./verify.ts")).verify(context),
  },
  reconcile: {
    help: "Find files that have vanished; the next sync brings them back",
    flags: ["folder", "caution", "json"],
    run: async (context) => (await import("./reconcile.ts")).reconcile(context),
  },
  reset: {
    help: "Forget part of what kei knows; photos are never touched",
    flags: ["confirm"],
    subcommands: {
      state: {
        help: "Delete the database of what is saved; the next sync recognises the files again",
        flags: ["confirm"],
        run: async (context) => (await import("./reset.ts")).resetState(context),
      },
      "sync-token": {
        help: "Have the next sync list everything instead of asking what has changed",
        flags: ["confirm"],
        run: async (context) => (await import("./reset.ts")).resetSyncToken(context),
      },
      session: {
        help: "Forget the saved session; the next sign-in needs password and code",
        flags: ["confirm"],
        run: async (context) => (await import("./reset.ts")).resetSession(context),
      },
    },
  },
  doctor: {
    help: "Look at everything kei depends on, and say what to mend",
    flags: ["doctor", "json", "folder", "account"],
    anyway: true,
    run: async (context) => (await import("./doctor.ts")).doctor(context),
  },
  login: {
    help: "Sign in to iCloud and make this machine trusted",
    flags: ["account", "save-password", "sms"],
    subcommands: {
      "get-code": {
        help: "Have Apple send a code to your trusted devices, or to a phone",
        flags: ["account", "save-password", "sms"],
        run: async (context) => (await import("./login.ts")).getCode(context),
      },
      "submit-code": {
        help: "Hand in the code that Apple has sent",
        flags: ["account"],
        positionals: ["CODE"],
        run: async (context) => (await import("./login.ts")).submitCode(context),
      },
      phones: {
        help: "Show the phones that a code can be sent to",
        flags: ["account"],
        run: async (context) => (await import("./login.ts")).phones(context),
      },
    },
    run: async (context) => (await import("./login.ts")).login(context),
  },
  password: {
    help: "Store the password, so that no run has to ask for it",
    flags: [],
    subcommands: {
      set: {
        help: "Store it in the system's keyring, else in an encrypted file; typed, or piped in",
        flags: ["password-set"],
        run: async (context) => (await import("./password.ts")).setPassword(context),
      },
      clear: {
        help: "Delete what is stored",
        flags: [],
        run: async (context) => (await import("./password.ts")).clearPassword(context),
      },
      backend: {
        help: "Tell what holds it: keyring, encrypted-file or none",
        flags: [],
        run: async (context) => (await import("./password.ts")).passwordBackend(context),
      },
    },
  },
  list: {
    help: "Show what the account holds",
    flags: ["account"],
    subcommands: {
      albums: {
        help: "Show the albums and how many photos they hold",
        flags: ["account", "library"],
        run: async (context) => (await import("./list.ts")).albums(context),
      },
      libraries: {
        help: "Show the libraries and how many photos they hold",
        flags: ["account", "library"],
        run: async (context) => (await import("./list.ts")).libraries(context),
      },
    },
  },
  config: {
    help: "Make or show the configuration",
    flags: [],
    subcommands: {
      setup: {
        help: "Make the configuration by answering a few questions",
        flags: ["account", "folder", "setup"],
        anyway: true,
        run: async (context) => (await import("./setup/index.ts")).setup(context),
      },
      show: {
        help: "Show the settings as they will be used, and where each of them comes from",
        flags: [...SYNC_FLAGS, "show", "json"],
        run: async (context) => (await import("./config-show.ts")).configShow(context),
      },
    },
  },
  completions: {
    help: "Print a script that teaches your shell the commands and flags of kei",
    flags: [],
    subcommands: {
      bash: {
        help: "For bash: source <(kei completions bash)",
        flags: [],
        anyway: true,
        run: async (context) => (await import("./completions/index.ts")).completions("bash", context),
      },
      zsh: {
        help: "For zsh: source <(kei completions zsh)",
        flags: [],
        anyway: true,
        run: async (context) => (await import("./completions/index.ts")).completions("zsh", context),
      },
      fish: {
        help: "For fish: kei completions fish | source",
        flags: [],
        anyway: true,
        run: async (context) => (await import("./completions/index.ts")).completions("fish", context),
      },
    },
  },
};
