/** What holds a backup up: each thing has a name, an age and a way out, and none is silent (DESIGN.md). */
import { formatTime, plural } from "./format.ts";
import type { StatusFacts } from "./status-facts.ts";

export type HoldKind =
  | "folder-missing"
  | "not-signed-in"
  | "code-needed"
  | "password-refused"
  | "sign-in-break"
  | "apple-break"
  | "runs-failing"
  | "run-unfinished"
  | "watch-overdue"
  | "list-unfinished";

export interface Hold {
  readonly kind: HoldKind;
  /** What it is, as a sentence without its stop. */
  readonly what: string;
  /** Since when and until when, ms since the epoch, as far as that is known. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly wayOut: string;
}

/** A watch that is later than this is taken for dead: computers sleep, and a run before it may take its time. */
const LATE_MS = 10 * 60_000;

const LOGIN = "`kei login`; without a terminal `kei login get-code`, then `kei login submit-code CODE`";

/** Everything that is in the way now, what needs its owner first. */
export function holdsOf(facts: StatusFacts): Hold[] {
  return [...ownersHolds(facts), ...breaks(facts), ...runHolds(facts)];
}

/** Whether a run is at work: it has not ended, and its process lives. */
export function isRunning({ runs, standing }: StatusFacts): boolean {
  return runs[0]?.status === "running" && standing.atWork;
}

/** Whether a watch waits for a code, as far as can be told; it goes on by itself once that was handed in. */
export function waitsForCode({ health, standing: { signIn } }: StatusFacts): boolean {
  return health?.codeWantedAt !== undefined && !(signIn.hasSession && signIn.isTrusted);
}

function ownersHolds({ standing, directory }: StatusFacts): Hold[] {
  const { signIn, root } = standing;
  const holds: Hold[] = [];
  if (root !== undefined)
    holds.push({
      kind: "folder-missing",
      what: `The download folder ${directory ?? ""} ${root === "absent" ? "is not there" : "is empty"}, though files were saved in it`,
      since: undefined,
      until: undefined,
      wayOut: "mount the disk it is on; if the files are really gone, `kei sync --force` fetches them again",
    });
  if (!signIn.hasSession)
    holds.push({
      kind: "not-signed-in",
      what: "This machine is not signed in to iCloud",
      since: undefined,
      until: undefined,
      wayOut: LOGIN,
    });
  else if (!signIn.isTrusted)
    holds.push({
      kind: "code-needed",
      what: "Apple wants a code before it trusts this machine",
      since: undefined,
      until: undefined,
      wayOut: LOGIN,
    });
  if (signIn.passwordRefusedAt !== undefined)
    holds.push({
      kind: "password-refused",
      what: "Apple has refused the password, and kei does not try it again",
      since: signIn.passwordRefusedAt,
      until: undefined,
      wayOut: "correct the password, or type it in at `kei login`",
    });
  return holds;
}

function breaks({ standing, breakUntil }: StatusFacts): Hold[] {
  const holds: Hold[] = [];
  const pause = (kind: HoldKind, what: string, until: number): Hold => ({
    kind,
    what: `${what} until ${formatTime(until)}`,
    since: undefined,
    until,
    wayOut: "nothing to do: runs after that go on",
  });
  const { throttledUntil } = standing.signIn;
  if (throttledUntil !== undefined)
    holds.push(pause("sign-in-break", "Apple takes no sign-in by password from here", throttledUntil));
  if (breakUntil !== undefined) holds.push(pause("apple-break", "Apple has asked for a break", breakUntil));
  return holds;
}

function runHolds(facts: StatusFacts): Hold[] {
  const { health, runs, unfinished, now } = facts;
  const running = isRunning(facts);
  const holds: Hold[] = [];
  if (health !== undefined && health.consecutiveFailures > 0)
    holds.push({
      kind: "runs-failing",
      what: `${health.consecutiveFailures === 1 ? "The last run has failed" : `The last ${plural(health.consecutiveFailures, "run")} have failed`}${health.lastError === undefined ? "" : `: ${health.lastError}`}`,
      since: health.lastSuccessAt,
      until: undefined,
      wayOut: "see what the message asks for; `kei sync` shows it again",
    });
  const last = runs[0];
  if (last?.status === "running" && !running)
    holds.push({
      kind: "run-unfinished",
      what: "The last run was cut off",
      since: last.startedAt,
      until: undefined,
      wayOut: "`kei sync` goes on where it stopped",
    });
  const next = health?.nextSyncAt;
  if (next !== undefined && now - next > LATE_MS && !running)
    holds.push({
      kind: "watch-overdue",
      what: "The watch should have run again, and has not",
      since: next,
      until: undefined,
      wayOut: "look whether it is still alive, and start `kei sync --watch` again",
    });
  for (const { library, since } of unfinished) {
    holds.push({
      kind: "list-unfinished",
      what: `The list of ${library} was not read to its end`,
      since,
      until: undefined,
      wayOut: running ? "the run that is at work goes on with it" : "`kei sync` reads it",
    });
  }
  return holds;
}
