import { readFileSync, statSync } from "node:fs";
import { EXIT, Failure } from "../library/failure.ts";
import { isTooOpen, stripTrailingNewline } from "../library/password.ts";
import type { Logger } from "../runtime/ports.ts";
import type { Origin } from "./resolve.ts";
import type { Settings } from "./settings.ts";

/** Where the password comes from; read only when a sign-in really needs it. */
export interface Password {
  readonly name: string;
  readonly interactive: boolean;
  read(): Promise<string>;
}

export interface PasswordDeps {
  readonly settings: Settings;
  readonly origins: Readonly<Record<string, Origin>>;
  readonly logger: Logger;
  /** Asks a person, without showing what is typed; undefined without a terminal. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** Told of the password as soon as it is known, so that it is masked wherever text is written. */
  readonly keepSecret: (secret: string) => void;
}

/**
 * The configured source: a direct value before a file before the prompt (auth.md 6.1). The first that is configured is
 * the one that is used; a source that yields nothing is an error, not a reason to try the next.
 */
export function passwordSource(deps: PasswordDeps): Password {
  const { settings, origins, keepSecret, ask } = deps;
  if (settings.password !== undefined) {
    const password = settings.password;
    keepSecret(password);
    return {
      name: origins["password"] === "flag" ? "--password" : "ICLOUD_PASSWORD",
      interactive: false,
      read: async () => password,
    };
  }
  if (settings.passwordFile !== undefined) {
    const path = settings.passwordFile;
    return {
      name: `the password file ${path}`,
      interactive: false,
      read: async () => {
        const password = readPasswordFile(path, deps.logger);
        keepSecret(password);
        return password;
      },
    };
  }
  if (ask !== undefined) {
    return {
      name: "the prompt",
      interactive: true,
      read: async () => {
        const password = await ask(`Password for ${settings.username ?? "the account"}: `);
        if (password === "") throw noPassword("nothing was typed");
        keepSecret(password);
        return password;
      },
    };
  }
  return {
    name: "none",
    interactive: false,
    read: async () => {
      throw noPassword("there is no terminal to ask at");
    },
  };
}

/** Read anew for every sign-in, so that a changed file takes effect without a restart. */
function readPasswordFile(path: string, logger: Logger): string {
  let text: string;
  try {
    const { mode } = statSync(path);
    if (isTooOpen(path, mode)) {
      logger.warn("the password file can be read by others", {
        path,
        mode: (mode & 0o777).toString(8),
        remedy: `chmod 600 ${path}`,
      });
    }
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw noPassword(
      `the password file ${path} can't be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`,
      error,
    );
  }
  const password = stripTrailingNewline(text);
  if (password === "") throw noPassword(`the password file ${path} is empty`);
  return password;
}

function noPassword(reason: string, cause?: unknown): Failure {
  return new Failure(`No password available: ${reason}`, {
    exit: EXIT.signIn,
    remedy: "Run `kei login` in a terminal, or give the password with --password-file or the variable ICLOUD_PASSWORD.",
    cause,
  });
}
