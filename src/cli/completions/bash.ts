import { type CompletedCommand, type CompletedFlag, flagsWithValue } from "./model.ts";

/**
 * The script for bash, also for the bash 3.2 of macOS, with nothing else installed. bash parts words at `=`, so
 * `--flag=value` arrives as three words.
 */
export function bashScript(commands: readonly CompletedCommand[]): string {
  return `# Completions of kei for bash. Load them with: source <(kei completions bash)
_kei() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="" command="" index word skip=""
  [ "$COMP_CWORD" -gt 0 ] && previous="\${COMP_WORDS[COMP_CWORD-1]}"
  if [ "$current" = "=" ]; then
    current=""
  elif [ "$previous" = "=" ]; then
    previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    if [ "$word" = "=" ]; then skip=yes; continue; fi
    if [ -n "$skip" ]; then skip=""; continue; fi
    case "$word" in
      ${flagsWithValue(commands).join("|")}) skip=yes ;;
      -*) ;;
      *)
        case "$command $word" in
${commandCases(commands)}
        esac
        ;;
    esac
  done
  COMPREPLY=()
  case "$previous" in
${valueCases(commands)}
  esac
  local words="" commands=""
  case "$command" in
${wordCases(commands)}
  esac
  case "$current" in
    -*) ;;
    *) [ -n "$commands" ] && words="$commands" ;;
  esac
  local IFS=$' \\n'
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _kei kei
`;
}

/** The words that lead from one command to the next. */
function commandCases(commands: readonly CompletedCommand[]): string {
  return commands
    .filter(({ words }) => words.length > 0)
    .map(({ words }) => `          "${words.slice(0, -1).join(" ")} ${words.at(-1)}") command="${words.join(" ")}" ;;`)
    .join("\n");
}

function valueCases(commands: readonly CompletedCommand[]): string {
  const cases = new Map<string, string>();
  for (const flag of commands.flatMap(({ flags }) => flags)) {
    const action = valueAction(flag);
    if (action !== undefined) cases.set(spellings(flag).join("|"), action);
  }
  return [...cases].map(([pattern, action]) => `    ${pattern}) ${action}; return ;;`).join("\n");
}

/** File names may hold blanks: they are parted at line ends only, and quoted by bash. */
function valueAction({ value }: CompletedFlag): string | undefined {
  if (value.kind === "none") return undefined;
  if (value.kind === "text") return ":";
  if (value.kind === "words") return `COMPREPLY=($(compgen -W "${value.words.join(" ")}" -- "$current"))`;
  const kind = value.kind === "folder" ? "-d" : "-f";
  return `compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen ${kind} -- "$current"))`;
}

function wordCases(commands: readonly CompletedCommand[]): string {
  return commands
    .map(({ words, subcommands, flags }) => {
      const below = subcommands.map(({ name }) => name).join(" ");
      return `    "${words.join(" ")}") words="${flags.flatMap(spellings).join(" ")}"; commands="${below}" ;;`;
    })
    .join("\n");
}

function spellings({ long, short }: CompletedFlag): string[] {
  return short === undefined ? [long] : [long, short];
}
