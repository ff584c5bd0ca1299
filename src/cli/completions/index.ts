import { EXIT, type ExitCode } from "../../library/failure.ts";
import type { CommandContext } from "../context.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { type CompletedCommand, completedCommands } from "./model.ts";
import { zshScript } from "./zsh.ts";

const SCRIPTS: Readonly<Record<"bash" | "zsh" | "fish", (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** `kei completions bash|zsh|fish`: prints the script that teaches a shell the commands and flags of this kei. */
export async function completions(shell: keyof typeof SCRIPTS, { terminal }: CommandContext): Promise<ExitCode> {
  terminal.out(SCRIPTS[shell](completedCommands()));
  return EXIT.ok;
}
