/** The questions of `kei config setup`, held with scripted answers. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askChoice, askText, askYesNo, type Person } from "../../src/cli/setup/ask.ts";
import { fileText, settingsOfFile, writeConfiguration } from "../../src/cli/setup/file-text.ts";
import { type FolderFacts, lookAtFolder, suggestedFolder } from "../../src/cli/setup/folder.ts";
import { askWhatToKeep } from "../../src/cli/setup/keep.ts";
import { nextSteps } from "../../src/cli/setup/next-steps.ts";
import { previewLines } from "../../src/cli/setup/preview.ts";
import { askSettings, secondsOf, spokenInterval, type Values, type World } from "../../src/cli/setup/questions.ts";
import { readConfigFile } from "../../src/config/file.ts";
import { SETTINGS } from "../../src/config/settings.ts";
import type { SyncReport } from "../../src/sync/types.ts";
import { wrap } from "../../src/ui/wrap.ts";

/** Answers in turn; a question beyond them breaks the conversation off. */
class Scripted implements Person {
  readonly said: string[] = [];
  readonly asked: string[] = [];
  readonly #answers: string[];
  constructor(...answers: string[]) {
    this.#answers = answers;
  }
  say(text: string): void {
    this.said.push(text);
  }
  show(line: string): void {
    this.said.push(line);
  }
  ask(question: string): Promise<string> {
    this.asked.push(question);
    const answer = this.#answers.shift();
    return answer === undefined ? Promise.reject(new Error(`nobody answers: ${question}`)) : Promise.resolve(answer);
  }
  get unused(): readonly string[] {
    return this.#answers;
  }
}

const FOLDER: FolderFacts = { path: "/home/me/Photos", wrong: undefined, exists: true, isEmpty: true, free: 5e11 };
const WORLD: World = { suggestion: "~/Photos/iCloud", lookAt: () => Promise.resolve(FOLDER) };

const USUAL: Values = {
  media: SETTINGS.media.default,
  livePhotoMode: "both",
  edited: false,
  alternative: false,
  libraries: ["primary"],
  smartFolders: ["none"],
  albums: ["all"],
  folderStructure: "%Y/%m/%d",
};

describe("a question", () => {
  test("is asked again until the answer will do, and says kindly what is wrong", async () => {
    const person = new Scripted("", "no", " yes@example.com ");
    const check = (answer: string) => (answer.includes("@") ? undefined : "There is no @ in it.");
    expect(await askText(person, { question: "Apple ID", check })).toBe("yes@example.com");
    expect(person.said).toEqual(["Please type an answer. Ctrl+C ends the set-up.", "There is no @ in it."]);
    expect(await askText(new Scripted(""), { question: "x", usual: "the usual" })).toBe("the usual");
  });

  test("with yes and no takes both in any case, Enter, and nothing else", async () => {
    for (const [answers, usual, wanted] of [
      [[""], true, true],
      [[""], false, false],
      [["Y"], false, true],
      [["No"], true, false],
      [["maybe", "x", "n"], true, false],
    ] as const) {
      expect(await askYesNo(new Scripted(...answers), "Really?", usual)).toBe(wanted);
    }
  });

  test("with several answers takes one of their numbers, or Enter", async () => {
    const options = [
      { label: "one", value: "a" },
      { label: "two", value: "b" },
    ];
    const person = new Scripted("0", "3", "two", "-1", "1.5", "2");
    expect(await askChoice(person, "Which?", options)).toBe("b");
    expect(person.said[0]).toBe("Which?\n  1  one\n  2  two");
    expect(person.said[1]).toBe("Please type a number from 1 to 2, or press Enter for 1.");
    expect(await askChoice(new Scripted(""), "Which?", options, "b")).toBe("b");
  });
});

describe("the answers", () => {
  test("of someone who only presses Enter are the defaults", async () => {
    const person = new Scripted("me@example.com", "", "", "", "", "");
    const values = await askSettings(person, {}, WORLD);
    expect(values).toEqual({
      username: "me@example.com",
      domain: "com",
      directory: "~/Photos/iCloud",
      ...USUAL,
      watchInterval: undefined,
    });
    expect(settingsOfFile(values, {}).map(({ key }) => key)).toEqual(["auth.username", "download.directory"]);
    expect(person.unused).toEqual([]);
  });

  test("may be an Apple ID of any form, and no other", async () => {
    const person = new Scripted("me", "me@example", "a b@example.com", "+8613812345678", "y", "", "", "", "");
    const values = await askSettings(person, {}, WORLD);
    expect(values).toMatchObject({ username: "+8613812345678", domain: "cn" });
    expect(person.said.filter((line) => line.includes("neither an e-mail address")).length).toBe(3);
  });

  test("about the folder are looked at before they are taken", async () => {
    const facts: Record<string, Partial<FolderFacts>> = {
      "/etc": { wrong: "/etc is a system folder" },
      "~/new": { path: "/home/me/new", exists: false, free: 2e9 },
      photos: { path: "/home/me/photos", isEmpty: false },
    };
    const world: World = { ...WORLD, lookAt: (named) => Promise.resolve({ ...FOLDER, ...facts[named] }) };
    const person = new Scripted("me@example.com", "", "/etc", "~/new", "n", "photos", "", "", "");
    // What is relative today would mean another folder tomorrow.
    expect((await askSettings(person, {}, world)).directory).toBe("/home/me/photos");
    const said = person.said.join("\n");
    expect(said).toContain("/etc is a system folder. Please choose another folder.");
    expect(said).toContain("/home/me/new: 2.00 GB are free there, which is little for a photo library.");
    expect(said).toContain("it never overwrites or deletes anything");
    expect(person.asked.filter((question) => question.startsWith("It does not exist yet")).length).toBe(1);
  });

  test("can ask for everything there is", async () => {
    const kept = await askWhatToKeep(new Scripted("2"), {});
    expect(kept).toEqual({ ...USUAL, edited: true, alternative: true, libraries: ["all"], smartFolders: ["Hidden"] });
  });

  test("can be given one by one", async () => {
    const person = new Scripted("3", "y", "n", "2", "y", "n", "y", "y", "2", "3");
    expect(await askWhatToKeep(person, {})).toEqual({
      media: ["photos", "live-photos"],
      livePhotoMode: "image-only",
      edited: true,
      alternative: false,
      libraries: ["all"],
      smartFolders: ["Hidden"],
      albums: ["none"],
      folderStructure: "%Y",
    });
    // Nothing at all is no answer: the questions come once more.
    const nothing = new Scripted("3", "n", "n", "4", "n", "y", "", "", "", "", "", "", "");
    expect((await askWhatToKeep(nothing, {}))["media"]).toEqual(["videos", "live-photos"]);
    expect(nothing.unused).toEqual([]);
  });

  test("keep what a configuration said before, also what no question offers", async () => {
    const before: Values = {
      albums: ["all", "!Work"],
      folderStructure: "%G/%V",
      libraries: ["SharedSync-12345678"],
      threads: 3,
    };
    expect(await askWhatToKeep(new Scripted(""), before)).toMatchObject({
      albums: before.albums,
      folderStructure: "%G/%V",
    });
    const kept = await askWhatToKeep(new Scripted("4", "", "", "", "", "", "", "", "", ""), before);
    expect(kept).toEqual({
      ...USUAL,
      albums: before.albums,
      folderStructure: "%G/%V",
      libraries: before.libraries,
    });
    const values = await askSettings(
      new Scripted("me@example.com", "", "", "", "2", "", ""),
      { ...before, watchInterval: 5400 },
      WORLD,
    );
    expect(values).toMatchObject({ threads: 3, albums: ["all"], watchInterval: 5400 });
  });

  test("about the rhythm are from a minute to a day", async () => {
    const rhythm = async (...answers: string[]) =>
      (await askSettings(new Scripted("me@example.com", "", "", "", "", ...answers), {}, WORLD)).watchInterval;
    expect(await rhythm("1")).toBeUndefined();
    expect(await rhythm("2")).toBe(3_600);
    expect(await rhythm("3")).toBe(86_400);
    expect(await rhythm("4", "30 s", "2d", "often", "90m")).toBe(5_400);
    for (const [text, seconds] of [
      ["60", 60],
      ["1m", 60],
      ["6 h", 21_600],
      ["1 day", 86_400],
      ["2 hours", 7_200],
    ] as const) {
      expect(secondsOf(text)).toBe(seconds);
      expect(secondsOf(spokenInterval(seconds))).toBe(seconds);
    }
    for (const text of ["", "59", "25h", "-1h", "1.5h", "h", "1w", "9999999"]) expect(secondsOf(text)).toBeUndefined();
  });
});

describe("the file", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "kei-setup-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test("says what differs from the defaults, and reads back as the answers", async () => {
    const values: Values = {
      ...USUAL,
      username: "me@example.com",
      directory: "~/p",
      edited: true,
      watchInterval: 3600,
      threads: 10,
    };
    const settings = settingsOfFile(values, { threads: 10 });
    const path = join(root, "kei.toml");
    expect(await writeConfiguration(path, fileText(settings), false)).toBeUndefined();
    expect((await readConfigFile(path)).values).toEqual({
      username: "me@example.com",
      directory: "~/p",
      edited: true,
      watchInterval: 3600,
      threads: 10,
    });
  });

  test("never replaces a copy that was kept before", async () => {
    const path = join(root, "kei.toml");
    for (const [text, copy] of [
      ["one", undefined],
      ["two", `${path}.old`],
      ["three", `${path}.old-2`],
    ] as const) {
      expect(await writeConfiguration(path, `# ${text}\n`, copy !== undefined)).toBe(copy);
    }
    expect(await Bun.file(`${path}.old`).text()).toBe("# one\n");
    expect(await Bun.file(`${path}.old-2`).text()).toBe("# two\n");
  });

  test("belongs to a folder that was looked at without writing to it", async () => {
    const env = { HOME: root };
    writeFileSync(join(root, "file"), "");
    mkdirSync(join(root, "full"));
    writeFileSync(join(root, "full", "photo.jpg"), "");
    expect(await lookAtFolder("~/a/b/c", env, "/")).toMatchObject({
      path: join(root, "a/b/c"),
      exists: false,
      isEmpty: true,
      wrong: undefined,
    });
    expect(await lookAtFolder("full", env, root)).toMatchObject({ exists: true, isEmpty: false, wrong: undefined });
    expect((await lookAtFolder("~/file", env, "/")).wrong).toBe(`${join(root, "file")} is a file`);
    expect((await lookAtFolder("~/file/below", env, "/")).wrong).toContain("is a file");
    expect((await lookAtFolder("/etc/", env, "/")).wrong).toContain("system folder");
    expect((await lookAtFolder("~", env, "/")).free).toBeGreaterThan(0);
    expect(await suggestedFolder(env)).toBe("~/Photos/iCloud");
    mkdirSync(join(root, "Pictures"));
    expect(await suggestedFolder(env)).toBe("~/Pictures/iCloud");
  });

  test.skipIf(process.getuid?.() === 0)(
    "may not go to a folder that is not one's own (everything is root's)",
    async () => {
      mkdirSync(join(root, "locked"));
      chmodSync(join(root, "locked"), 0o500);
      expect((await lookAtFolder("locked/photos", { HOME: root }, root)).wrong).toContain("You may not write to");
    },
  );
});

describe("what is said", () => {
  const report = (more: Partial<SyncReport>) =>
    ({
      assetsSeen: 30_821,
      notices: [],
      enumerationErrors: [],
      planned: { files: 31_002, bytes: 2e11 },
      ...more,
    }) as unknown as SyncReport;

  test("of the library is what there is to save and whether there is room for it", () => {
    expect(previewLines(report({}), { path: "/p", free: 5e11 })).toEqual([
      "30,821 photos and videos: 31,002 files to save, 200 GB.",
      "500 GB are free at /p.",
    ]);
    const tight = previewLines(report({ notices: ["left out: 3 photos"] }), { path: "/p", free: 5e10 }).join("\n");
    expect(tight).toContain("That is 150 GB too little.");
    expect(tight).toContain("left out: 3 photos");
    expect(previewLines(report({}), { path: "/p", free: undefined })).toHaveLength(1);
  });

  test("at the end are commands that can be copied", () => {
    const file = { path: "/home/me/.config/kei/config.toml", exists: true, explicit: false };
    const env = { HOME: "/home/me" };
    expect(nextSteps({}, file, env)[0]).toBe("  kei sync          fetches what is new");
    expect(nextSteps({ watchInterval: 5400 }, file, env)[0]).toContain("every 90m");
    expect(nextSteps({}, { ...file, path: "/it's/here.toml" }, env)[0]).toBe(
      "  kei sync --config '/it'\\''s/here.toml'",
    );
  });

  test("is broken between words, below its own beginning", () => {
    expect(wrap("one two three", 9)).toEqual(["one two", "three"]);
    expect(wrap("  1  one two three four", 14)).toEqual(["  1  one two", "     three", "     four"]);
    expect(wrap("  as  it   is", 20)).toEqual(["  as  it   is"]);
    expect(wrap("averylongword b\n\nc", 5)).toEqual(["averylongword", "b", "", "c"]);
    expect(wrap("写真 写真 写真", 9)).toEqual(["写真 写真", "写真"]);
  });
});
