import type { CompletedCommand, CompletedFlag } from "./model.ts";

/** The script for zsh, to be sourced or to lie as `_kei` in a folder of `fpath`. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef kei
# Completions of kei for zsh. Load them with: source <(kei completions zsh)
${commands.map(commandFunction).join("\n")}
if [ "$funcstack[1]" = "_kei" ]; then
  _kei "$@"
elif (( $+functions[compdef] )); then
  compdef _kei kei
fi
`;
}

function commandFunction({ words, subcommands, flags }: CompletedCommand): string {
  const name = functionName(words);
  const specs = flags.flatMap(flagSpecs).map((spec) => `    ${spec} \\\n`);
  if (subcommands.length === 0) return `${name}() {\n  _arguments -s -S \\\n${specs.join("")}    '*: :'\n}`;
  const described = subcommands.map((sub) => `      ${quoted(`${sub.name}:${sub.help}`)}\n`).join("");
  const branches = subcommands.map((sub) => `        ${sub.name}) ${functionName([...words, sub.name])} ;;\n`).join("");
  return `${name}() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  _arguments -s -S -C \\
${specs.join("")}    '1: :->command' \\
    '*:: :->rest'
  case $state in
    command)
      local -a commands
      commands=(
${described}      )
      _describe -t commands command commands
      ;;
    rest)
      case $words[1] in
${branches}      esac
      ;;
  esac
}`;
}

function functionName(words: readonly string[]): string {
  return ["_kei", ...words].join("_").replaceAll("-", "_");
}

/** One spec for each spelling; those of one flag exclude each other, unless it may be repeated. */
function flagSpecs({ long, short, help, value, repeatable }: CompletedFlag): string[] {
  const spellings = short === undefined ? [long] : [short, long];
  const exclusion = repeatable ? "*" : `(${spellings.join(" ")})`;
  const described = `[${help.replaceAll(/[[\]\\]/g, "\\$&")}]`;
  return spellings.map((spelling) => {
    const attached = value.kind === "none" ? "" : spelling === long ? "=" : "+";
    return quoted(`${exclusion}${spelling}${attached}${described}${action(value)}`);
  });
}

function action(value: CompletedFlag["value"]): string {
  switch (value.kind) {
    case "none":
      return "";
    case "file":
      return ":file:_files";
    case "folder":
      return ":folder:_files -/";
    case "words":
      return `:value:(${value.words.join(" ")})`;
    default:
      return `:${value.hint.replaceAll(":", "\\:")}: `;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
