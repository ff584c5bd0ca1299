/** Prompts at a real terminal: what is shown, and that the terminal is left as it was. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Home, keiCommand, until } from "../support/kei.ts";

const reason = process.platform === "win32" ? "no terminals of this kind here" : undefined;
const withTerminal = reason === undefined ? test : test.skip;
const name = (text: string) => (reason === undefined ? text : `${text} (skipped: ${reason})`);

let home: Home;
beforeEach(() => {
  home = new Home(undefined, { KEI_TEST_ICLOUD: "http://127.0.0.1:1" });
});
afterEach(() => home.remove());

/** A shell in a terminal of its own that runs `kei password set` and then shows the terminal's settings. */
function passwordSet() {
  let screen = "";
  const line = `${keiCommand()
    .map((word) => `'${word}'`)
    .join(" ")} password set -u me@example.com; echo "ended with $?"; stty -a; echo over`;
  const shell = Bun.spawn(["/bin/sh", "-c", line], {
    env: home.env,
    cwd: home.root,
    terminal: {
      cols: 80,
      rows: 24,
      data: (_terminal, bytes) => {
        screen += Buffer.from(bytes).toString();
      },
    },
  });
  const { terminal } = shell;
  if (terminal === undefined) throw new Error("no terminal");
  return {
    shell,
    type: (keys: string) => terminal.write(keys),
    sees: (text: string) => until(`"${text}" on the screen`, () => screen.includes(text)),
    screen: () => screen,
  };
}

/** Typed lines are shown again, and a line is a line. */
function expectRestored(screen: string): void {
  const settings = screen.slice(screen.indexOf("ended with"));
  expect(settings).toMatch(/[\s;]echo\b/);
  expect(settings).toMatch(/[\s;]icanon\b/);
}

withTerminal(name("a password is typed unseen, and the terminal shows what is typed again afterwards"), async () => {
  const { shell, type, sees, screen } = passwordSet();
  await sees("New password for me@example.com: ");
  type("hunter22\r");
  await sees("The same once more: ");
  type("hunter22\r");
  await sees("over");
  await shell.exited;
  expect(screen()).toContain("ended with 0");
  expect(screen()).not.toContain("hunter");
  expectRestored(screen());
});

withTerminal(name("Ctrl+C at a prompt ends with 130 and restores the terminal"), async () => {
  const { shell, type, sees, screen } = passwordSet();
  await sees("New password");
  type("hunter22\u0003");
  await sees("over");
  await shell.exited;
  expect(screen()).toContain("ended with 130");
  expect(screen()).not.toContain("hunter");
  expectRestored(screen());
});

withTerminal(name("a terminal that goes away at a prompt ends it as Ctrl+C does"), async () => {
  let screen = "";
  const child = Bun.spawn([...keiCommand(), "password", "set", "-u", "me@example.com"], {
    env: home.env,
    cwd: home.root,
    terminal: {
      data: (_terminal, bytes) => {
        screen += Buffer.from(bytes).toString();
      },
    },
  });
  await until("the question", () => screen.includes("New password"));
  child.terminal?.close();
  expect(await child.exited).toBe(130);
});
