/** Runs icloudpd and kei over the same library of the double, under Apple's names. Only inside `scripts/apple-net`. */
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Double, type PhotoLibrary, startDouble } from "../../icloud/index.ts";
import { appleTls, icloudpdAccount, runProgram, trustingIcloudpd } from "../icloudpd.ts";
import { explain } from "./explain.ts";
import { Facts } from "./facts.ts";
import type { ReasonId } from "./reasons.ts";
import type { Row } from "./rows.ts";
import { type Comparison, compareTrees, type Difference, readTree } from "./trees.ts";

export interface Explained extends Difference {
  /** Undefined: nobody knows why. */
  readonly reasons: readonly ReasonId[] | undefined;
}

export interface Outcome extends Omit<Comparison, "differences"> {
  readonly row: string;
  readonly zone: string;
  readonly files: { readonly kei: number; readonly icloudpd: number };
  readonly seconds: { readonly kei: number; readonly icloudpd: number };
  readonly differences: readonly Explained[];
}

/** What became of a folder of icloudpd that kei was pointed at. */
export interface TakenOver {
  readonly before: number;
  readonly after: number;
  /** Files of icloudpd that are no longer there as they were. */
  readonly changed: readonly string[];
  /** Transfers of kei's first and second run. */
  readonly fetched: readonly number[];
}

/** Both clients, signed in, and the double that they talk to. */
export class Pair {
  #runs = 0;

  private constructor(
    readonly folder: string,
    readonly kei: readonly string[],
    readonly icloudpd: readonly string[],
    readonly double: Double,
  ) {}

  /** Starts the double with a library, and signs both in. `folder` takes all files; `kei` is the command that starts it. */
  static async start(folder: string, library: PhotoLibrary, kei: readonly string[]): Promise<Pair> {
    const double = await startDouble({
      port: 443,
      tls: appleTls(),
      library,
      account: { pushOnComplete: true },
      photos: { pretty: false },
    });
    const icloudpd = [trustingIcloudpd(folder), ...icloudpdAccount(double.account, join(folder, "cookies"))];
    const pair = new Pair(folder, kei, icloudpd, double);
    await pair.#signIn();
    return pair;
  }

  async #signIn(): Promise<void> {
    const { double } = this;
    const theirs = await runProgram([...this.icloudpd, "--auth-only"], { input: `${double.code}\n` });
    const env = this.#keiEnv(join(this.folder, "signed-in"), "UTC");
    const asked = await runProgram([...this.kei, "login", "get-code"], { env });
    const code = double.account.deviceCode ?? "none";
    const handed = await runProgram([...this.kei, "login", "submit-code", code], { env });
    for (const { exit, log } of [theirs, asked, handed]) if (exit !== 0) throw new Error(`sign-in failed: ${log}`);
  }

  #keiEnv(home: string, zone: string): Record<string, string | undefined> {
    return {
      ...process.env,
      HOME: home,
      XDG_CONFIG_HOME: join(home, "config"),
      TZ: zone,
      BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
      ICLOUD_USERNAME: this.double.account.username,
      ICLOUD_PASSWORD: this.double.account.password,
      KEI_TEST_ICLOUD: undefined,
    };
  }

  /** One row on a machine of that time zone, each side into a new folder and with no memory of earlier rows. */
  async compare(row: Row, zone: string): Promise<Outcome> {
    const home = this.#newHome();
    const [kei, icloudpd] = [join(home, "kei"), join(home, "icloudpd")];
    const theirs = await this.#runIcloudpd(icloudpd, row, zone);
    const ours = await this.#runKei(home, kei, row, zone);
    const [mine, other] = [await readTree(kei), await readTree(icloudpd)];
    const { differences, ...rest } = compareTrees(mine, other);
    const about = { facts: new Facts(this.double.library, mine, other), row, zone };
    return {
      row: row.name,
      zone,
      files: { kei: mine.size, icloudpd: other.size },
      seconds: { kei: ours.seconds, icloudpd: theirs.seconds },
      ...rest,
      differences: differences.map((difference) => ({ ...difference, reasons: explain(difference, about) })),
    };
  }

  /** Lets kei go on in a folder of icloudpd, twice. */
  async takeOver(row: Row, zone: string): Promise<TakenOver> {
    const home = this.#newHome();
    const folder = join(home, "photos");
    await this.#runIcloudpd(folder, row, zone);
    const before = await readTree(folder);
    const fetched: number[] = [];
    for (const _ of [1, 2]) {
      this.double.log.clear();
      await this.#runKei(home, folder, row, zone);
      fetched.push(this.double.log.all.filter(({ operation }) => operation === "cdn").length);
    }
    const after = await readTree(folder);
    const changed = [...before].filter(([path, file]) => after.get(path)?.sha256 !== file.sha256).map(([path]) => path);
    return { before: before.size, after: after.size, changed, fetched };
  }

  #newHome(): string {
    this.#runs += 1;
    const home = join(this.folder, `run-${this.#runs}`);
    mkdirSync(home);
    cpSync(join(this.folder, "signed-in"), home, { recursive: true });
    return home;
  }

  #runIcloudpd(folder: string, { name, icloudpd }: Row, zone: string): Promise<Timed> {
    const command = [...this.icloudpd, "--no-progress-bar", "-d", folder, ...icloudpd];
    return timed(`icloudpd ${name}`, command, { ...process.env, TZ: zone });
  }

  #runKei(home: string, folder: string, { name, kei }: Row, zone: string): Promise<Timed> {
    return timed(`kei ${name}`, [...this.kei, "sync", "-d", folder, ...kei], this.#keiEnv(home, zone));
  }

  stop(): Promise<void> {
    return this.double.stop();
  }
}

interface Timed {
  readonly seconds: number;
}

/** Runs a program that has to end with 0. */
async function timed(
  name: string,
  command: readonly string[],
  env: Record<string, string | undefined>,
): Promise<Timed> {
  const start = performance.now();
  const { exit, log } = await runProgram(command, { env });
  if (exit !== 0) throw new Error(`${name} ended with ${exit}: ${log.slice(-2_000)}`);
  return { seconds: (performance.now() - start) / 1000 };
}
