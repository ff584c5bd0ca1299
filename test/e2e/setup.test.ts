/** `kei config setup` at a real terminal, from the first question to the first photos. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { columnsOf } from "../../src/runtime/columns.ts";
import { createLibrary, type Double, startDouble } from "../icloud/index.ts";
import { Home } from "../support/kei.ts";
import { AtTerminal } from "../support/pty.ts";

let double: Double;
let home: Home;
let terminal: AtTerminal | undefined;

beforeEach(async () => {
  double = await startDouble({ library: createLibrary({ seed: 3, assets: 6, bytes: 2_000 }) });
  // Nobody has put the account into the environment of a person who has never seen a terminal.
  home = new Home(double, { ICLOUD_USERNAME: "", ICLOUD_PASSWORD: "" });
});
afterEach(async () => {
  terminal?.kill();
  terminal = undefined;
  await double.stop();
  home.remove();
});

const config = () => join(home.data, "config.toml");

function open(args: readonly string[] = [], options: ConstructorParameters<typeof AtTerminal>[2] = {}): AtTerminal {
  terminal = new AtTerminal(home, ["config", "setup", ...args], options);
  return terminal;
}

/** What stood on the screen at some time, without colours and cursor movements. */
function plainLines(seen: string): string[] {
  return Bun.stripANSI(seen).split(/[\n\r]/);
}

/** Answers everything up to the sign-in with Enter, where that is possible. */
async function answerSettings(at: AtTerminal, rhythm = ""): Promise<void> {
  await at.answer("Apple ID: ", double.account.username);
  await at.answer("mainland", "");
  await at.answer("[~/Photos/iCloud]: ", "");
  await at.answer("at the end? [Y/n] ", "");
  await at.answer("What shall be saved?", "");
  await at.answer("look for new photos?", rhythm);
}

describe("kei config setup", () => {
  test("leads from nothing to a configuration and the first photos", async () => {
    const at = open();
    await answerSettings(at);
    await at.answer("Sign in now? [Y/n] ", "");
    await at.answer("Password for ", "a-wrong-one");
    await at.sees("Apple does not accept this password");
    await at.answer("Password for ", double.account.password);
    await at.answer("Verification code", () => double.account.deviceCode);
    await at.sees("You are signed in");
    await at.answer("Store the password? [y/N] ", "y");
    await at.sees("The password is stored in");
    await at.answer("Count? [Y/n] ", "");
    await at.sees("6 photos and videos: ");
    await at.sees("are free at");
    expect(existsSync(config())).toBe(false);
    expect(existsSync(join(home.root, "Photos"))).toBe(false);
    await at.answer("Yes, write it", "");
    await at.answer("first sync now? [Y/n] ", "");
    await at.sees("Done: ");
    await at.sees("From now on:");
    expect(await at.end()).toBe(0);

    const text = readFileSync(config(), "utf8");
    expect(statSync(config()).mode & 0o777).toBe(0o600);
    expect(text).toContain(`[auth]\n# Apple ID of the account\nusername = "${double.account.username}"\n`);
    expect(text).toContain('[download]\n# Folder that the photos are saved to\ndirectory = "~/Photos/iCloud"\n');
    expect(text.match(/ = /g)).toHaveLength(2);
    expect(readdirSync(join(home.root, "Photos", "iCloud")).length).toBeGreaterThan(0);

    // What a person sees fits their window, and the password is not in it.
    for (const line of plainLines(at.seen)) expect(columnsOf(line)).toBeLessThanOrEqual(80);
    expect(at.seen).not.toContain(double.account.password);
    // From now on a plain sync is enough.
    expect(await home.run(["sync"])).toMatchObject({ code: 0, stderr: expect.stringContaining("Nothing new") });
  });

  test("is left with Ctrl+C at any question, and has written nothing", async () => {
    const questions = ["Apple ID: ", "mainland China", "Folder for your photos", "Make it at the end?"];
    for (const [index, question] of questions.entries()) {
      const at = open();
      for (const before of questions.slice(0, index))
        await at.answer(before, index > 0 && before === "Apple ID: " ? "me@example.com" : "");
      await at.sees(question);
      at.type("\u0003");
      await at.sees("no configuration was written");
      expect(await at.end()).toBe(130);
    }
    expect(existsSync(home.data)).toBe(false);
    expect(readdirSync(home.root)).toEqual([]);
  });

  test("is left with Ctrl+C while it counts, too", async () => {
    await double.stop();
    double = await startDouble({ library: createLibrary({ seed: 3, assets: 2_000, bytes: 100 }) });
    Object.assign(home.env, double.env);
    const at = open();
    await answerSettings(at);
    await at.answer("Sign in now?", "");
    await at.answer("Password for ", double.account.password);
    await at.answer("Verification code", () => double.account.deviceCode);
    await at.answer("Store the password", "");
    await at.answer("Count? [Y/n] ", "");
    await at.sees(" of 2,000 photos");
    at.type("\u0003");
    await at.sees("no configuration was written");
    expect(await at.end()).toBe(130);
    expect(existsSync(config())).toBe(false);
  });

  test("tells of a variable that counts before the file", async () => {
    const at = open([], { env: { KEI_WATCH_WITH_INTERVAL: "600" } });
    await answerSettings(at, "3");
    await at.answer("Sign in now?", "n");
    await at.answer("Is it right?", "");
    await at.sees("The variable KEI_WATCH_WITH_INTERVAL of your environment counts before");
    await at.answer("first sync now?", "n");
    expect(await at.end()).toBe(0);
  });

  test("needs a terminal, and says what to do without one", async () => {
    const { code, stderr, stdout } = await home.run(["config", "setup"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("kei sync -u you@example.com -d FOLDER");
  });

  test("keeps a copy of an earlier configuration, takes its values over, and mends a broken one", async () => {
    mkdirSync(home.data, { recursive: true });
    const earlier = `# mine\n[auth]\nusername = "me@example.com"\n[download]\ndirectory = "~/p"\nthreads = 3\n[filters]\nalbums = ["none"]\n`;
    writeFileSync(config(), earlier);
    const at = open();
    await at.answer("What shall become of it?", "");
    await at.answer("Apple ID [me@example.com]: ", "");
    await at.answer("mainland China", "");
    await at.answer("Folder for your photos [~/p]: ", "");
    await at.answer("Make it at the end?", "");
    await at.answer("What the configuration says now", "");
    await at.answer("look for new photos?", "2");
    await at.answer("Sign in now?", "n");
    await at.answer("Is it right?", "1");
    await at.answer("first sync now?", "n");
    await at.sees("every hour");
    expect(await at.end()).toBe(0);
    expect(readFileSync(`${config()}.old`, "utf8")).toBe(earlier);
    const shown = await home.run(["config", "show", "--plain"]);
    expect(shown.stdout).toContain("threads = 3\n");
    expect(shown.stdout).toContain('albums = ["none"]\n');
    expect(shown.stdout).toContain("interval = 3600\n");

    writeFileSync(config(), "[auth\n");
    const again = open();
    await again.sees("It can't be read");
    await again.answer("What shall become of it?", "2");
    await again.sees("Nothing was changed");
    expect(await again.end()).toBe(0);
    expect(readFileSync(config(), "utf8")).toBe("[auth\n");
  });

  test("works on a dumb terminal of 40 columns, without escape codes", async () => {
    const at = open(["-o", "other.toml"], { columns: 40, env: { TERM: "dumb" } });
    await answerSettings(at);
    await at.answer("Sign in now?", "n");
    await at.answer("Is it right?", "");
    await at.answer("first sync now?", "n");
    await at.sees("From now on:");
    expect(await at.end()).toBe(0);
    expect(at.seen).not.toContain("\u001b");
    expect(at.seen).toContain(`  kei sync --config ${join(home.root, "other.toml")}\n`);
    expect(existsSync(join(home.root, "other.toml"))).toBe(true);
    expect(existsSync(config())).toBe(false);
  });
});
