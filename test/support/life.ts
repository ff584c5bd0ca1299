/** A library that changes in every way between runs, some of them disturbed: afterwards disk, rows and library agree. */
import { Database } from "bun:sqlite";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  answers,
  type Double,
  type DoubleOptions,
  type ExpectedFile,
  expectedFiles,
  PhotoLibrary,
  startDouble,
} from "../icloud/index.ts";
import { createRng } from "../icloud/photos/random.ts";
import { checksums, Home, until } from "./kei.ts";
import { Owner } from "./owner.ts";

export interface Life {
  readonly edits: number;
  readonly runs: number;
  /** How often each kind of disturbance struck. */
  readonly disturbed: Readonly<Record<string, number>>;
  /** Why undisturbed runs, after the first, listed everything: there is no reason to. */
  readonly lists: readonly string[];
  /** What did not agree after a clean run, with the edits before it. */
  readonly disagreements: readonly string[];
}

interface Selection {
  /** Photos of the shared library come into albums; that library is then listed in full, to find them. */
  readonly mixes?: boolean;
  readonly args: readonly string[];
  readonly files: (library: PhotoLibrary) => readonly ExpectedFile[];
  readonly passesOf: (file: ExpectedFile) => readonly string[];
}

const albumsOf = (file: ExpectedFile): readonly string[] =>
  file.albums.length === 0 ? ["unfiled"] : file.albums.map((album) => `album:${album}`);

/** What comes without a word, and as much as can be asked for. */
const PLAIN: Selection = { args: [], files: (library) => expectedFiles(library), passesOf: albumsOf };
const RICH: Selection = {
  args: ["--library", "all", "--smart-folder", "Favorites", "--size", "original", "--size", "adjusted"],
  files: (library) =>
    expectedFiles(library, {
      zones: library.zones.map(({ name }) => name),
      renditions: ["original", "live_original", "adjusted"],
    }),
  passesOf: (file) => [...albumsOf(file), ...(file.favorite ? ["smart:Favorites"] : [])],
};

const MIXED: Selection = { ...RICH, mixes: true };

/** Trouble of one run; each is over when it is cleared. */
const DISTURBANCES: Readonly<Record<string, (double: Double, owner: Owner) => void>> = {
  "no such file": ({ photos }) => photos.cdnFaults.inject({ kind: "status", status: 404, times: ALWAYS }),
  "media out of order": ({ photos }) => photos.cdnFaults.inject({ kind: "status", status: 500, times: ALWAYS }),
  "bodies cut": ({ photos }) => photos.cdnFaults.inject({ kind: "reset", afterBytes: 300, times: 3 }),
  "wrong bytes": ({ photos }) => photos.cdnFaults.inject({ kind: "flip-bit", times: ALWAYS }),
  "API out of order": ({ faults }) => faults.inject({ match: CLOUDKIT, times: ALWAYS, respond: answers.status(503) }),
  "API stumbles": ({ faults }) =>
    faults.inject({ match: CLOUDKIT, times: 4, respond: answers.status(500), rate: { probability: 0.4, seed: 1 } }),
  "API falls silent midway": ({ faults }) => faults.inject({ match: CLOUDKIT, after: 4, times: ALWAYS, cut: "reset" }),
  "zone token refused": ({ photos }) =>
    photos.dataFaults.failZone("PrimarySync", {
      code: "BAD_REQUEST",
      reason: "Unknown sync continuation type",
      times: 1,
    }),
  "database token refused": ({ faults }) =>
    faults.inject({ match: /changes\/database/, respond: answers.code("BAD_REQUEST") }),
  "a record withheld": ({ photos }, owner) => {
    const { id } = owner.anyPhoto();
    photos.dataFaults.failRecord((name, operation) => name === id && operation === "records/lookup", {
      code: "ACCESS_DENIED",
    });
  },
  "session over": ({ account }) => account.expireCookies(),
};
const ALWAYS = Number.POSITIVE_INFINITY;
const CLOUDKIT = /^(private|shared)\//;

/** Runs that a disturbed life gets to come to rest. */
const RECOVERIES = 4;

/**
 * The same seed makes the same life. A run comes after each one to three edits; a quarter of them are disturbed, a tenth
 * are killed. Seeds 1, 4, 7, ... select what comes without a word, seeds 2, 5, 8, ... much more; in those of 3, 6, 9, ...
 * the shared library's photos come into albums as well.
 */
export async function life(options: {
  readonly seed: number;
  readonly edits: number;
  /** How the double is, other than usual. */
  readonly double?: Pick<DoubleOptions, "photos" | "transform">;
}): Promise<Life> {
  const rng = createRng(`life/${options.seed}`);
  const selection = [MIXED, PLAIN, RICH][options.seed % 3] ?? PLAIN;
  const library = new PhotoLibrary({ seed: options.seed });
  const owner = new Owner(library, rng, selection.mixes);
  for (let start = 0; start < 12; start += 1) owner.addPhoto();
  for (let start = 0; start < 3; start += 1) owner.createAlbum();
  const double = await startDouble({
    library,
    account: { signInLimit: 1_000_000 },
    ...options.double,
    photos: { pretty: false, ...options.double?.photos },
  });
  const home = new Home(double);
  const command = ["sync", "-d", home.photos, ...selection.args];
  const lists: string[] = [];
  const disagreements: string[] = [];
  const disturbed: Record<string, number> = {};
  let runs = 0;
  const run = async (): Promise<{ readonly code: number; readonly stderr: string; readonly listed?: string }> => {
    runs += 1;
    double.log.clear();
    const report = join(home.root, "report.json");
    await Bun.write(report, "{}");
    const { code, stderr } = await home.fast([...command, "--report-json", report]);
    const { stats } = (await Bun.file(report).json()) as { stats?: { full_enumeration_reason?: string } };
    if (stderr.includes("does not add up")) disagreements.push("the sum does not close");
    const listed = stats?.full_enumeration_reason;
    return { code, stderr, ...(listed === undefined ? {} : { listed }) };
  };
  /** Killed after so many requests, unless it is over before. */
  const runKilled = async (requests: number): Promise<void> => {
    runs += 1;
    double.log.clear();
    const running = home.start(command);
    let over = false;
    running.result.then(
      () => (over = true),
      () => (over = true),
    );
    await until("the moment of the kill", () => over || double.log.all.length >= requests, 60_000);
    running.kill("SIGKILL");
    await running.result;
  };
  const recover = async (): Promise<number> => {
    let code = 1;
    for (let left = RECOVERIES; code !== 0 && left > 0; left -= 1) ({ code } = await run());
    return code;
  };
  try {
    await home.signIn(double);
    await run();
    for (let edits = 0; edits < options.edits; ) {
      const done: string[] = [];
      for (let more = rng.int(1, 3); more > 0; more -= 1, edits += 1) done.push(owner.edit());
      const names = Object.keys(DISTURBANCES);
      const fate = rng.int(0, 99);
      if (fate < 25) {
        const name = names[rng.int(0, names.length - 1)] ?? "";
        disturbed[name] = (disturbed[name] ?? 0) + 1;
        done.push(`(${name})`);
        DISTURBANCES[name]?.(double, owner);
        await run();
        double.faults.clear();
        double.photos.cdnFaults.clear();
        double.photos.dataFaults.clear();
      } else if (fate < 35) {
        const requests = rng.int(1, 14);
        disturbed["kill -9"] = (disturbed["kill -9"] ?? 0) + 1;
        done.push(`(killed after ${requests} requests)`);
        await runKilled(requests);
      }
      const isCalm = fate >= 35;
      const first = await run();
      if (isCalm && first.listed !== undefined && selection.mixes !== true)
        lists.push(`${first.listed} after ${done.join(", ")}`);
      const code = first.code === 0 || isCalm ? first.code : await recover();
      if (code !== 0) disagreements.push(`exit ${code} after ${done.join(", ")}: ${first.stderr.slice(-600)}`);
      const wrong = await compare(home, library, selection);
      if (wrong.length > 0) {
        disagreements.push(`${wrong.join("; ")} after ${done.join(", ")} (edit ${edits})`);
        break;
      }
    }
    return { edits: options.edits, runs, disturbed, lists, disagreements };
  } finally {
    await double.stop();
    home.remove();
  }
}

/** Each photo that is there has a proven file at every place it belongs to, no row waits, and nothing else lies about. */
async function compare(home: Home, library: PhotoLibrary, selection: Selection): Promise<readonly string[]> {
  const name = readdirSync(home.data).find((file) => file.endsWith(".db")) ?? "";
  const db = new Database(join(home.data, name), { readonly: true });
  try {
    const onDisk = await checksums(home.photos);
    const wrong: string[] = [];
    const count = (sql: string): number =>
      db.query<{ count: number }, []>(`SELECT count(*) AS count FROM ${sql}`).get()?.count ?? -1;
    const open = count("files WHERE status <> 'downloaded'");
    if (open !== 0) wrong.push(`${open} rows are open`);
    const claims = count("temp_claims");
    if (claims !== 0) wrong.push(`${claims} temporary files are claimed`);
    const at = db.query<{ path: string }, [string, string, string]>(
      "SELECT path FROM placements WHERE asset = ? AND pass = ? AND checksum = ? AND status = 'present'",
    );
    /** What kei knows of a photo, for the one who looks for the mistake. */
    const known = ({ assetId, albums }: ExpectedFile) => ({
      assetId,
      albums,
      row: db.query("SELECT disposition, rule, is_hidden, is_deleted, seen_scan FROM assets WHERE id = ?").get(assetId),
      members: db.query("SELECT album, generation FROM members WHERE asset = ?").all(assetId),
      places: db.query("SELECT pass, path, status, checksum FROM placements WHERE asset = ?").all(assetId),
    });
    for (const file of selection.files(library)) {
      for (const pass of selection.passesOf(file)) {
        const row = at.get(file.assetId, pass, file.checksum);
        if (row === null)
          wrong.push(`${file.filename} (${file.rendition}) has no place in ${pass}: ${JSON.stringify(known(file))}`);
        else if (onDisk.get(row.path) !== file.checksum) wrong.push(`${row.path} is not ${file.filename}`);
      }
    }
    const recorded = new Set(
      db
        .query<{ path: string }, []>("SELECT path FROM placements")
        .all()
        .map(({ path }) => path),
    );
    for (const path of onDisk.keys()) if (!recorded.has(path)) wrong.push(`nobody knows of ${path}`);
    return wrong;
  } finally {
    db.close();
  }
}
