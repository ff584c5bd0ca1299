import { basename } from "node:path";
import type { Asset, Rendition } from "../library/asset.ts";
import { type ChosenFile, chooseFiles, missingFiles } from "../library/choose.ts";
import { leftOutBy } from "../library/filters.ts";
import { fingerprint } from "../library/names.ts";
import type { AssetRow, PlacementRow, RenditionRow } from "../state/types.ts";
import type { DiskView } from "./disk.ts";
import { type AssetInPass, FilePlan } from "./file-plan.ts";
import type { Pass } from "./pass.ts";
import type { Draft, PlannerDeps } from "./plan.ts";
import type { AssetOutcome, Tally } from "./tally.ts";

/** Weakest first. */
const STRENGTH: readonly AssetOutcome[] = [
  "retry_only",
  "retry_exhausted",
  "by_state",
  "ampm_variant",
  "on_disk",
  "forwarded",
];

/** The plan of one asset in one pass. */
export class AssetPlan {
  readonly #outcomes: AssetOutcome[] = [];
  #placements: readonly PlacementRow[] = [];
  #rows: readonly RenditionRow[] = [];

  constructor(
    readonly deps: PlannerDeps,
    readonly disk: DiskView,
    readonly draft: Draft,
    readonly pass: Pass,
    readonly asset: Asset,
    readonly scan: number,
    readonly receivedAt: number,
  ) {}

  make(): void {
    const { state, naming } = this.deps;
    const { asset } = this;
    const known = state.asset(asset.library, asset.id);
    if (this.deps.retryOnly && known === undefined) {
      this.#leaveForLater();
      return;
    }
    const first = known?.seenScan !== this.scan;
    this.#meet(first);
    if (first) for (const name of [asset.id, asset.masterId]) state.dropIssues(asset.library, name);
    if (known !== undefined) {
      this.#rows = state.renditionsOf(asset.library, asset.id);
      this.#placements = state.placementsOf(asset.library, asset.id);
    }

    const rule = this.#leftOutBy();
    if (rule !== undefined) {
      if (first) this.#leaveOut(rule);
      return;
    }
    const chosen = chooseFiles(asset, naming);
    if (chosen.length === 0) {
      if (first) this.#tellEmpty();
      return;
    }
    // What another list leaves out by its number may be wanted in this one.
    const before = first || known?.disposition !== "left-out" ? undefined : known.rule;
    if (before !== undefined) this.#effect((tally) => tally.unskip(before));
    this.#record("wanted", undefined);
    this.#dropUnwanted(chosen.map((file) => file.rendition));
    if (first) this.#tellLeftOutFiles(chosen);
    const about: AssetInPass = {
      asset,
      pass: this.pass,
      receivedAt: this.receivedAt,
      rows: this.#rows,
      placements: this.#placements,
      stillName: undefined,
    };
    for (const file of chosen) {
      const planned = new FilePlan(this.deps, this.disk, this.draft, about, file).make();
      this.#outcomes.push(planned.outcome);
      // The first file of the photo itself is what its video follows.
      if (file.role === "primary" && planned.path !== undefined) about.stillName ??= basename(planned.path);
    }
    if (first || before !== undefined) this.#count();
  }

  #meet(first: boolean): void {
    this.#effect((tally) => {
      if (first) tally.seen += 1;
      else tally.duplicates += 1;
    });
  }

  /** A new photo in a run that only retries: it is for the next ordinary one, which must find it as new as it is now. */
  #leaveForLater(): void {
    const first = !this.deps.state.metInWalk(`${this.scan}:new`, this.asset.id);
    this.#meet(first);
    if (first) this.#effect((tally) => tally.skip("retry_only"));
  }

  #leaveOut(rule: string): void {
    this.#record("left-out", rule);
    this.#dropUnwanted([]);
    this.#effect((tally) => tally.skip(rule));
  }

  /** No file of this photo is wanted, or the wanted ones can't be had. */
  #tellEmpty(): void {
    const { naming } = this.deps;
    const defect = missingFiles(this.asset, naming, [])[0]?.reason;
    if (defect === undefined && (naming.forceResolution || naming.resolutions.length === 0)) {
      this.#leaveOut("by_rendition");
      return;
    }
    const reason = defect ?? "no-usable-file";
    this.#record("broken", reason);
    this.#effect((tally) => tally.countBroken(reason));
  }

  /** Unfinished work for files that the settings no longer ask for is over. */
  #dropUnwanted(wanted: readonly Rendition[]): void {
    const { library, id } = this.asset;
    const isOpen = ({ rendition, status }: RenditionRow | PlacementRow): boolean =>
      !wanted.includes(rendition) && (status === "pending" || status === "failed");
    if (this.#rows.some(isOpen) || this.#placements.some(isOpen)) this.deps.state.dropUnwanted(library, id, wanted);
  }

  /**
   * What is not saved of a photo that is: files that can't be had because of what Apple says of them, each of which is
   * told; and an edited version that the settings leave out, which is said once.
   */
  #tellLeftOutFiles(chosen: readonly ChosenFile[]): void {
    const { asset, scan } = this;
    for (const { rendition, reason } of missingFiles(asset, this.deps.naming, chosen)) {
      this.deps.state.putIssue(asset.library, scan, asset.id, reason, rendition);
      this.#effect((tally) => tally.issue(reason));
    }
    const { edited, resolutions } = this.deps.naming;
    if (asset.renditions.adjusted !== undefined && !edited && !resolutions.includes("adjusted")) {
      this.#effect((tally) => {
        tally.edited += 1;
      });
    }
  }

  /** The first rule that leaves the photo out (files.md 5.1). */
  #leftOutBy(): string | undefined {
    const { asset, pass } = this;
    const { state, filters, newest, startedAt } = this.deps;
    // Both marks are looked at whatever list a photo is in (files.md FI-12).
    if (asset.isDeleted && pass.smartFolder !== "Recently Deleted") return "recently_deleted";
    if (asset.isHidden && pass.smartFolder !== "Hidden" && pass.smartFolder !== "Recently Deleted") return "hidden";
    if (newest.excludes(asset)) return "by_recent";
    if (pass.onlyUnfiled && state.isFiled(asset.library, asset.id)) return "by_excluded_album";
    return leftOutBy(asset, filters, { now: startedAt }, () => fingerprint(asset));
  }

  #record(disposition: AssetRow["disposition"], rule: string | undefined): void {
    const { asset, scan } = this;
    this.deps.state.putAsset({
      library: asset.library,
      id: asset.id,
      masterId: asset.masterId,
      filename: asset.filename,
      kind: asset.kind,
      capturedAt: asset.capturedAt,
      timeZoneOffset: asset.timeZoneOffset,
      addedAt: asset.addedAt,
      isFavorite: asset.isFavorite,
      isHidden: asset.isHidden,
      isDeleted: asset.isDeleted,
      changeTag: asset.changeTag,
      disposition,
      rule,
      seenScan: scan,
    });
  }

  /** The strongest outcome of its files is the asset's (engine.md PL-23). */
  #count(): void {
    const strongest = STRENGTH.findLast((outcome) => this.#outcomes.includes(outcome)) ?? "by_state";
    this.#effect((tally) => {
      if (strongest === "forwarded") tally.forwarded += 1;
      else tally.skip(strongest);
    });
  }

  #effect(change: (tally: Tally) => void): void {
    this.draft.effects.push(change);
  }
}
