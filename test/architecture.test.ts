/** The rules between the rooms, read from the sources themselves (ARCHITECTURE.md). */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "..");
const SOURCES = join(ROOT, "src");

/** What each room may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  library: [],
  runtime: ["library"],
  icloud: ["library", "runtime"],
  download: ["library", "runtime"],
  state: ["library", "runtime"],
  metadata: ["library", "runtime"],
  notify: ["library", "runtime"],
  ui: ["library", "runtime"],
  config: ["library", "runtime"],
  sync: ["library", "runtime", "icloud", "download", "state", "metadata"],
  doctor: ["library", "runtime", "icloud", "download", "state", "sync", "serve", "config"],
  serve: ["library", "runtime", "sync", "state", "config", "ui"],
  cli: ["library", "runtime", "sync", "state", "config", "ui", "serve", "notify", "doctor"],
  // src/main.ts, where the parts are put together.
  main: ["cli", "sync", "config", "library", "runtime"],
};

/** Types alone tie nothing together at run time: what the summary shows, or a script is told, is what a sync reports. */
const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = {
  ui: ["sync", "state"],
  notify: ["sync"],
};

/** Files that may say `Bun.` or import `bun:`, besides the room runtime/. */
const BUN_ALLOWED = ["state/driver.ts"];

/** No file beyond this many lines without a reason, which stands here. */
const LINES = 400;
const LONG: Readonly<Record<string, string>> = {
  "sync/plan.ts": "one decision table, read from top to bottom",
};

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly typesOnly: boolean;
}

const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts"))
  .toSorted();
const text = new Map(files.map((file) => [file, readFileSync(join(SOURCES, file), "utf8")]));
const code = new Map([...text].map(([file, source]) => [file, withoutComments(source)]));
const imports = [...code].flatMap(([file, source]) => importsOf(file, source));

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*.*?\*\//gs, "").replaceAll(/(^|[^:"'`\\])\/\/.*$/gm, "$1");
}

function importsOf(file: string, source: string): Import[] {
  const statements = source.matchAll(
    /\b(?:import|export)\s+(?<kind>type\s+)?(?:[^"';]*?\sfrom\s+)?["'](?<static>[^"']+)["']|\bimport\(\s*["'](?<dynamic>[^"']+)["']/g,
  );
  return [...statements].map(({ groups }) => ({
    file,
    specifier: groups?.["static"] ?? groups?.["dynamic"] ?? "",
    typesOnly: groups?.["kind"] !== undefined,
  }));
}

function roomOf(file: string): string {
  return file.includes("/") ? (file.split("/")[0] ?? "") : file.replace(/\.ts$/, "");
}

/** The file that a relative specifier means, below src/. */
function target({ file, specifier }: Import): string {
  return relative(SOURCES, resolve(SOURCES, dirname(file), specifier)).replaceAll("\\", "/");
}

const relativeImports = imports.filter(({ specifier }) => specifier.startsWith("."));

describe("the rooms", () => {
  test("are all known", () => {
    expect(imports.length).toBeGreaterThan(100);
    const rooms = [...new Set(files.map(roomOf))];
    expect(rooms.filter((room) => MAY_IMPORT[room] === undefined)).toEqual([]);
  });

  test("import only those they may", () => {
    const broken = relativeImports.filter((one) => {
      const from = roomOf(one.file);
      const to = roomOf(target(one));
      if (from === to || MAY_IMPORT[from]?.includes(to) === true) return false;
      return !(one.typesOnly && TYPES_ONLY[from]?.includes(to) === true);
    });
    expect(broken.map((one) => `${one.file} imports ${target(one)}`)).toEqual([]);
  });

  test("import nothing from outside src but packages", () => {
    expect(relativeImports.filter((one) => target(one).startsWith("..")).map((one) => one.file)).toEqual([]);
  });

  test("name every file they import whole, as Deno and the browser do", () => {
    const broken = relativeImports.filter((one) => !existsSync(join(SOURCES, target(one))));
    expect(broken.map((one) => `${one.file}: ${one.specifier}`)).toEqual([]);
  });

  test("keep the tests' parts out of the program", () => {
    const packages = imports.map((one) => one.specifier).filter((one) => /^[a-z@]/.test(one));
    const foreign = packages.filter((one) => !/^(node:|bun:)/.test(one));
    const manifest: { dependencies: Record<string, string> } = JSON.parse(
      readFileSync(join(ROOT, "package.json"), "utf8"),
    );
    const known = Object.keys(manifest.dependencies);
    expect(foreign.filter((one) => !known.some((name) => one === name || one.startsWith(`${name}/`)))).toEqual([]);
  });
});

describe("what only Bun has", () => {
  test("appears in runtime/ and in the state's driver, nowhere else", () => {
    const users = [...code].filter(([, source]) => /\bBun\.|["']bun:/.test(source)).map(([file]) => file);
    const allowed = (file: string): boolean => file.startsWith("runtime/") || BUN_ALLOWED.includes(file);
    expect(users.filter((file) => !allowed(file))).toEqual([]);
  });

  test("is never imported before it is known to be there", () => {
    const early = [...code].filter(([, source]) => /\bfrom\s+["']bun:|^import\s+["']bun:/m.test(source));
    expect(early.map(([file]) => file)).toEqual([]);
  });
});

describe("the sources", () => {
  test("have no long files without a reason", () => {
    const long = [...text].filter(([, source]) => source.split("\n").length > LINES).map(([file]) => file);
    expect(long.filter((file) => LONG[file] === undefined)).toEqual([]);
  });

  test("have no file without a word about what it is for", () => {
    const silent = [...text].filter(([, source]) => !source.includes("/**")).map(([file]) => file);
    expect(silent).toEqual([]);
  });

  test("name no host where packages come from, and no path of a machine", () => {
    const found = [...text].filter(([, source]) => /registry\.|\/home\/|\/work\/|\/Users\//.test(source));
    expect(found.map(([file]) => file)).toEqual([]);
  });
});
