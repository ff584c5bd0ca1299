/** The strict command line: nothing a person typed is ignored or taken for something else. */
import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { EXIT } from "../../src/library/failure.ts";

const parse = (line: string) => parseCommandLine(line === "" ? [] : line.split(" "));

/** The one line a person would read. */
function refusal(argv: readonly string[]): string {
  try {
    parseCommandLine(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    expect(error.exit).toBe(EXIT.usage);
    return `${error.message}. ${error.remedy}`;
  }
  throw new Error(`was understood: ${argv.join(" ")}`);
}

describe("a command line", () => {
  test("may be empty, and is then no command", () => {
    expect(parse("")).toMatchObject({ command: [], spec: undefined, help: false, flags: {} });
  });

  test("gives flags long, short, attached and behind", () => {
    const wanted = { username: "me@example.com", directory: "/photos" };
    for (const line of [
      "sync --username me@example.com --download-dir /photos",
      "sync --username=me@example.com --download-dir=/photos",
      "sync -u me@example.com -d /photos",
      "sync -ume@example.com -d=/photos",
      "-u me@example.com sync -d /photos",
    ]) {
      expect(parse(line)).toMatchObject({ command: ["sync"], flags: wanted });
    }
  });

  test("gathers the values of a list in their order", () => {
    expect(parse("sync -a Rome --album !Work -a=-dash").flags.albums).toEqual(["Rome", "!Work", "-dash"]);
  });

  test("takes true and false behind a setting that can be both, and no other word", () => {
    expect(parse("sync --unfiled").flags.unfiled).toBe(true);
    expect(parse("sync --unfiled false").flags.unfiled).toBe(false);
    expect(parse("sync --unfiled=no").flags.unfiled).toBe(false);
    expect(refusal(["sync", "--unfiled", "maybe"])).toContain('does not take "maybe"');
    expect(refusal(["sync", "--unfiled=maybe"])).toContain("neither true nor false");
  });

  test("says the opposite where the flag does", () => {
    expect(parse("sync --no-progress-bar").flags.progressBar).toBe(false);
    expect(parse("sync --no-progress-bar=false").flags.progressBar).toBe(true);
  });

  test("lets a flag behind the command overrule the same one before it, and refuses it twice in one place", () => {
    expect(parse("-u a@example.com sync -u b@example.com").flags.username).toBe("b@example.com");
    expect(refusal(["sync", "-u", "a", "--username", "b"])).toContain("--username is given twice");
  });

  test("leaves words behind -- alone", () => {
    expect(parse("login submit-code -- 123456").positionals).toEqual(["123456"]);
  });

  test("knows help anywhere, before anything is checked", () => {
    expect(parse("sync --help")).toMatchObject({ help: true, command: ["sync"] });
    expect(parse("help login get-code")).toMatchObject({ help: true, command: ["login", "get-code"] });
    expect(parse("-h")).toMatchObject({ help: true, command: [] });
    expect(parse("status --version").version).toBe(true);
  });
});

describe("a wrong command line is refused with the right one:", () => {
  test.each([
    [["sync", "--albm", "x"], "--albm is not a flag of kei", "Did you mean --album?"],
    [["snyc"], '"snyc" is not a command of kei', "Did you mean `sync`?"],
    [["list", "album"], '"album" is not a command of `kei list`', "Did you mean `kei list albums`?"],
    [["sync", "--directory", "x"], "--directory is not a flag of kei", "Use --download-dir"],
    [["sync", "--threads-num", "3"], "--threads-num is not a flag of kei", "Use --threads"],
    [["get-code"], '"get-code" is not a command of kei', "kei login get-code"],
    [["sync", "extra"], 'does not take "extra"', "kei sync --help"],
    [["login", "submit-code"], "needs CODE", "kei login submit-code CODE"],
    [["sync", "--threads"], "--threads needs a value", "Write --threads N"],
    [["sync", "-d", "-a"], "-d needs a value, but -a follows", "write -d=-a"],
    [["sync", "--threads", "0"], "0 is not a whole number from 1 to 64", ""],
    [["sync", "--threads", "ten"], '"ten" is not a whole number', ""],
    [["sync", "--threads", "1e1"], '"1e1" is not a whole number', ""],
    [["sync", "--domain", "org"], '"org" is none of com, cn', ""],
    [["sync", "--download-dir="], "it must not be empty", ""],
    [["sync", "--download-dir", "/etc"], "/etc is a system folder", ""],
    [["sync", "--folder-structure", "%Q"], "%Q at position 1", ""],
    [["sync", "--folder-structure", "{album}/%Y"], "folder_structure_albums", ""],
    [["sync", "-a", "all", "-a", "Rome"], '"all" takes exclusions', ""],
    [["sync", "-a", "Rome", "-a", "Rome"], "given twice", ""],
    [["sync", "--library", "none"], "at least one library", ""],
    [["sync", "--dry-run=true"], "--dry-run takes no value", ""],
    [["status", "--dry-run"], "--dry-run is not a flag of `kei status`", "kei status --help"],
    [["--dry-run"], "--dry-run needs a command", "kei sync"],
    [["--config", "a.toml", "--config", "b.toml", "sync"], "--config is given twice", ""],
    [["--config=", "sync"], "--config must not be empty", ""],
    [["sync", "--temp-suffix", ".jpg"], "not look like a photo's", ""],
    [["sync", "---x"], "---x is not a flag", ""],
    [["sync", "-x"], "-x is not a flag", ""],
  ])("%j", (argv, message, remedy) => {
    const text = refusal(argv);
    expect(text).toContain(message);
    expect(text).toContain(remedy);
  });

  test("and never repeats a password", () => {
    expect(refusal(["status", "--password", "hunter22"])).not.toContain("hunter22");
  });
});

test("a durable setting can be denied with --no-; a switch of one run can't", () => {
  expect(parseCommandLine(["--no-friendly", "status"]).flags).toEqual({ friendly: false });
  expect(parseCommandLine(["sync", "--no-unfiled"]).flags).toEqual({ unfiled: false });
  expect(() => parseCommandLine(["sync", "--no-unfiled=true"])).toThrow("takes no value");
  expect(() => parseCommandLine(["sync", "--no-dry-run"])).toThrow("--no-dry-run is not a flag of kei");
});
