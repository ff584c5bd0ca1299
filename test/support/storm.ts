/** Trouble of every passing kind at once, by a seed: for the tests in short form, for `scripts/soak` in long form. */
import { answers, type CdnFaultKind, createLibrary, type Double, expectedFiles, startDouble } from "../icloud/index.ts";
import { createRng } from "../icloud/photos/random.ts";
import { checksums, Home, listFiles, until } from "./kei.ts";

const TRANSFER_TROUBLE: readonly CdnFaultKind[] = [
  { kind: "status", status: 429 },
  { kind: "status", status: 500 },
  { kind: "status", status: 502 },
  { kind: "status", status: 503, retryAfter: 2 },
  { kind: "status", status: 410 },
  { kind: "reset", afterBytes: 700 },
  { kind: "truncate", bytes: 900, contentLength: true },
  { kind: "truncate", bytes: 900, contentLength: false },
  { kind: "flip-bit" },
  { kind: "html" },
  { kind: "json" },
  { kind: "tiny" },
  { kind: "empty" },
  { kind: "long-body", by: 40 },
  { kind: "ignore-range" },
  { kind: "bad-content-range" },
  { kind: "chunked" },
];

const API_TROUBLE: ReadonlyArray<() => Response> = [
  answers.status(429),
  answers.status(500),
  answers.status(503, { "retry-after": "2" }),
  answers.code("TRY_AGAIN_LATER"),
  answers.code("CAS_OP_LOCK"),
  answers.code("RETRY_LATER"),
  answers.code("THROTTLED"),
  answers.html(),
  answers.truncatedJson(),
];

export interface StormOptions {
  readonly seed: number;
  readonly assets: number;
}

export interface StormResult {
  /** Exit codes of the run in the storm and of the one after it. */
  readonly exits: readonly [number, number];
  readonly wrongFiles: readonly string[];
  /** Files that were neither there nor failed with a reason after the storm. */
  readonly untold: number;
  readonly missingAfterwards: number;
  readonly orphans: readonly string[];
  /** Bytes sent by the CDN, both runs together, over the bytes of the library. */
  readonly transferred: number;
  readonly log: string;
}

/** A fifth of the transfers and a tenth of the API calls fail; addresses live three seconds. */
export async function storm({ seed, assets }: StormOptions): Promise<StormResult> {
  const library = createLibrary({ seed, assets, bytes: { min: 2_000, max: 9_000 }, derivatives: false, albums: 3 });
  const double = await startDouble({ library, photos: { urlLifetimeMs: 3_000, pretty: false } });
  const home = new Home(double);
  try {
    await home.signIn(double);
    const rng = createRng(`storm/${seed}`);
    const pick = <T>(list: readonly T[]): T => list[rng.int(0, list.length - 1)] as T;
    double.photos.cdnFaults.decide = () => (rng.int(0, 99) < 20 ? pick(TRANSFER_TROUBLE) : undefined);
    double.faults.inject({
      match: /^(private|shared)\//,
      times: Number.POSITIVE_INFINITY,
      rate: { probability: 0.1, seed },
      respond: () => pick(API_TROUBLE)(),
    });
    const first = await home.fast(["sync", "-d", home.photos]);
    const wanted = new Set(expectedFiles(library).map((file) => file.checksum));
    const wrong = async () =>
      [...(await checksums(home.photos))]
        .filter(([path, sum]) => !path.endsWith(".kei-tmp") && !wanted.has(sum))
        .map(([path]) => path);
    const wrongFiles = await wrong();
    const there = new Set((await checksums(home.photos)).values());
    const status = await home.run(["status", "--failed", "--pending"]);
    const told = /(\d+) failed/.exec(status.stdout)?.[1] ?? "0";
    const waiting = /(\d+) waiting/.exec(status.stdout)?.[1] ?? "0";
    const lacking = [...wanted].filter((checksum) => !there.has(checksum)).length;
    double.faults.clear();
    double.photos.cdnFaults.clear();
    const second = await home.fast(["sync", "-d", home.photos]);
    const after = new Set((await checksums(home.photos)).values());
    return {
      exits: [first.code, second.code],
      wrongFiles: [...wrongFiles, ...(await wrong())],
      untold: Math.max(0, lacking - Number(told) - Number(waiting)),
      missingAfterwards: [...wanted].filter((checksum) => !after.has(checksum)).length,
      orphans: (await listFiles(home.photos)).filter((path) => path.endsWith(".kei-tmp")),
      transferred: double.photos.traffic.bytes / uniqueBytes(double),
      log: `${first.stderr}\n${status.stdout}\n${second.stderr}`,
    };
  } finally {
    await double.stop();
    home.remove();
  }
}

function uniqueBytes(double: Double): number {
  const sizes = new Map(expectedFiles(double.library).map((file) => [file.checksum, file.size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

export interface KillResult {
  readonly kills: number;
  readonly exit: number;
  readonly wrongFiles: readonly string[];
  readonly missing: number;
  readonly orphans: readonly string[];
  /** Published files that were fetched again. */
  readonly again: number;
  /** Whether the tree is the one that an undisturbed run makes. */
  readonly sameTree: boolean;
}

/** Kills the program at random moments, again and again, and lets it finish at last. */
export async function kills({
  seed,
  kills: wanted,
}: {
  readonly seed: number;
  readonly kills: number;
}): Promise<KillResult> {
  const library = createLibrary({
    seed,
    assets: 40 + wanted * 3,
    bytes: { min: 1_000, max: 60_000 },
    derivatives: false,
    albums: 2,
    equalNames: 6,
  });
  const double = await startDouble({ library, photos: { pretty: false } });
  const home = new Home(double);
  const calm = new Home(double);
  try {
    await home.signIn(double);
    await calm.signIn(double);
    await calm.sync();
    const rng = createRng(`kills/${seed}`);
    const sums = new Set(expectedFiles(library).map((file) => file.checksum));
    const wrongFiles: string[] = [];
    let again = 0;
    for (let round = 0; round < wanted; round += 1) {
      const before = new Set((await checksums(home.photos)).values());
      double.log.clear();
      const running = home.start(["sync", "-d", home.photos]);
      const enough = rng.int(0, 12);
      let over = false;
      running.result.then(
        () => (over = true),
        () => (over = true),
      );
      await until("some work is done", () => over || double.log.count("cdn") >= enough);
      running.kill("SIGKILL");
      await running.result;
      for (const [path, sum] of await checksums(home.photos)) {
        if (!path.endsWith(".kei-tmp") && !sums.has(sum)) wrongFiles.push(path);
      }
      again += refetched(double, before);
    }
    const before = new Set((await checksums(home.photos)).values());
    double.log.clear();
    const last = await home.sync();
    again += refetched(double, before);
    const found = await checksums(home.photos);
    const tree = await listFiles(home.photos);
    return {
      kills: wanted,
      exit: last.code,
      wrongFiles,
      missing: [...sums].filter((sum) => ![...found.values()].includes(sum)).length,
      orphans: tree.filter((path) => path.endsWith(".kei-tmp")),
      again,
      sameTree: JSON.stringify(tree) === JSON.stringify(await listFiles(calm.photos)),
    };
  } finally {
    await double.stop();
    home.remove();
    calm.remove();
  }
}

/** Transfers of contents that stood on disk under their final names already. */
function refetched(double: Double, published: ReadonlySet<string>): number {
  return double.log.all.filter((entry) => {
    if (entry.operation !== "cdn") return false;
    // The path begins with the checksum in its URL-safe spelling.
    const checksum = entry.path.slice(3, 31).replaceAll("-", "+").replaceAll("_", "/");
    return published.has(checksum);
  }).length;
}
