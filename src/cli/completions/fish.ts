import { type CompletedCommand, type CompletedFlag, flagsWithValue } from "./model.ts";

/** The script for fish. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  return `# Completions of kei for fish. Load them with: kei completions fish | source
function __kei_command
    set -l skip no
    set -l words
    for token in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
            continue
        end
        switch $token
            case ${flagsWithValue(commands).join(" ")}
                set skip yes
            case '-*'
            case '*'
                set -a words $token
        end
    end
    # A word behind the command is its own, e.g. a code.
    while test (count $words) -gt 0; and not contains -- "$words" ${commands
      .filter(({ words }) => words.length > 0)
      .map(({ words }) => quoted(words.join(" ")))
      .join(" ")}
        set -e words[-1]
    end
    echo "$words"
end
function __kei_at
    test (__kei_command) = "$argv"
end
complete -c kei -f
${commands.flatMap(commandLines).join("\n")}
`;
}

function commandLines({ words, subcommands, flags }: CompletedCommand): string[] {
  const at = `-n ${quoted(`__kei_at ${words.join(" ")}`.trim())}`;
  return [
    ...subcommands.map(({ name, help }) => `complete -c kei ${at} -a ${name} -d ${quoted(help)}`),
    ...flags.map((flag) => `complete -c kei ${at} ${spelled(flag)} -d ${quoted(flag.help)}`),
  ];
}

function spelled({ long, short, value }: CompletedFlag): string {
  const names = `${short === undefined ? "" : `-s ${short.slice(1)} `}-l ${long.slice(2)}`;
  switch (value.kind) {
    case "none":
      return names;
    case "file":
      return `${names} -r -F`;
    case "folder":
      return `${names} -x -a '(__fish_complete_directories)'`;
    case "words":
      return `${names} -x -a ${quoted(value.words.join(" "))}`;
    default:
      return `${names} -x`;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
