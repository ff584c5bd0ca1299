import { createBrake } from "../download/brake.ts";
import { probeTraits } from "../download/space.ts";
import { sumOf } from "../library/sum.ts";
import { openForDryRun } from "../state/index.ts";
import type { State } from "../state/types.ts";
import type { CheckListener, CompletenessResult, VerifyOptions, VerifyResult } from "./check-types.ts";
import { respectBreak, runCycle } from "./cycle.ts";
import type { Job } from "./jobs.ts";
import { type AccountSession, openPhotos, withAccount } from "./session.ts";
import { transferOf } from "./transfer-deps.ts";
import type { Ports, SyncReport, SyncSettings } from "./types.ts";
import { verifyFiles } from "./verify.ts";

/** Marks of what was told already, so that nothing is told twice. */
const TOLD = "told";

/** Outcomes of photos that are here, among those that a run skips. */
const HERE: ReadonlySet<string> = new Set(["by_state", "on_disk", "ampm_variant"]);

/**
 * Looks at the saved files, and then lists everything in iCloud by the present settings, as a first run would, over a
 * copy of the catalogue: what that run would fetch is not here. Nothing is written but the session. Signs in as far as
 * needed. Without a second part when a stop came in the first. Throws `Failure` as a sync does.
 */
export function verifyComplete(
  settings: SyncSettings,
  options: VerifyOptions,
  listener: CheckListener,
  ports: Ports,
): Promise<{ readonly here: VerifyResult; readonly cloud: CompletenessResult | undefined }> {
  return withAccount(settings, ports, { patient: true }, async (session) => {
    const { domain, username, directory } = settings;
    const { clock, logger } = ports;
    const state = await openForDryRun({ path: session.files.database, domain, username, clock, logger });
    try {
      const remembering: CheckListener = {
        ...listener,
        issue: (issue) => {
          if (issue.path !== undefined) state.metInWalk(TOLD, issue.path);
          listener.issue(issue);
        },
      };
      const here = await verifyFiles(state, directory, options, remembering, ports.stop);
      if (here.stopped) return { here, cloud: undefined };
      return { here, cloud: await audit(settings, session, state, listener, ports) };
    } finally {
      state.close();
    }
  });
}

/** A run that only notes what it would have to fetch. */
async function audit(
  selection: SyncSettings,
  session: AccountSession,
  state: State,
  listener: CheckListener,
  ports: Ports,
): Promise<CompletenessResult> {
  // Every file is looked for, whatever became of it before.
  const settings = { ...selection, dryRun: true, watching: false, retryFailed: false, perAsset: 0 };
  const { directory } = settings;
  state.clearSyncTokens();
  respectBreak(state, ports.clock.now());
  const photos = await openPhotos(session, settings, ports, {
    retries: settings.perTransfer,
    editedMotion: settings.renditions.edited || settings.renditions.liveResolution === "adjusted",
  });
  const missing = new Missing(state, listener);
  let report: SyncReport | undefined;
  try {
    report = await runCycle({
      settings,
      // What a run says on its way is not true of this one.
      ports: { ...ports, logger: { ...ports.logger, info: ports.logger.debug } },
      state,
      photos,
      traits: await probeTraits(directory, { write: false }),
      rehearsal: missing,
      onReport: (made) => {
        report = made;
      },
      transfer: transferOf(settings, ports, createBrake(ports.clock)),
    });
  } catch (error) {
    if (!ports.stop.aborted || report === undefined) throw error;
  }
  return resultOf(report, missing);
}

function resultOf(report: SyncReport, missing: Missing): CompletenessResult {
  const leftOut = Object.entries(report.skipped).filter(([rule]) => !HERE.has(rule));
  const { files: notSaved, bytes } = missing;
  return {
    listed: report.assetsSeen,
    leftOut: sumOf(Object.fromEntries(leftOut)),
    notSaved,
    bytes,
    issues: report.issues,
    unlisted: report.enumerationErrors,
    complete: report.outcome === "success" && notSaved === 0,
    stopped: report.outcome === "interrupted",
  };
}

/** Takes the place of the workers: a file that would be fetched is one that is not here. */
class Missing {
  files = 0;
  bytes = 0;
  readonly planned = undefined;
  readonly #state: State;
  readonly #listener: CheckListener;

  constructor(state: State, listener: CheckListener) {
    this.#state = state;
    this.#listener = listener;
  }

  note({ key, pass, path, resource, shared }: Job): boolean {
    // A file that is known to be missing or cut short was told of; a good one may be planned beside it.
    const before = this.#state
      .placementsOf(key.library, key.asset)
      .filter(
        (place) => place.rendition === key.rendition && (place.pass === pass || place.pass.startsWith(`${pass}#`)),
      );
    const paths = new Set([path, ...before.map((place) => place.path)]);
    const told = [...paths].map((one) => this.#state.metInWalk(TOLD, one));
    if (told.includes(true)) return true;
    this.files += 1;
    if (!shared) this.bytes += resource.size;
    this.#listener.issue({
      kind: "not-saved",
      path,
      ...key,
      downloadedAt: undefined,
      detail: this.#state.rendition(key)?.lastError,
    });
    return true;
  }
}
