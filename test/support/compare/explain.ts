/**
 * Finds the reasons of a difference. Folder and name are looked at apart. A name is explained when undoing the known
 * differences, one by one, makes both sides equal; a file that one side lacks, when a reason to lack it is proven.
 */
import { type Fact, type Facts, icloudpdFingerprint, keiFingerprint } from "./facts.ts";
import type { ReasonId } from "./reasons.ts";
import type { Row } from "./rows.ts";
import { type Difference, folderOf, leafOf } from "./trees.ts";

export interface Circumstances {
  readonly facts: Facts;
  readonly row: Row;
  /** Time zone of the machine, IANA. */
  readonly zone: string;
}

/** The reasons, or undefined when a part of the difference has none. */
export function explain(difference: Difference, about: Circumstances): readonly ReasonId[] | undefined {
  for (const fact of about.facts.about(difference.sha256)) {
    const reasons = new Explanation(difference, fact, about).reasons();
    if (reasons !== undefined && reasons.length > 0) return reasons;
  }
  return undefined;
}

class Explanation {
  readonly #facts: Facts;
  readonly #row: Row;

  constructor(
    readonly difference: Difference,
    readonly fact: Fact,
    readonly about: Circumstances,
  ) {
    this.#facts = about.facts;
    this.#row = about.row;
  }

  reasons(): readonly ReasonId[] | undefined {
    const { kei, icloudpd } = this.difference;
    if (kei === undefined) return icloudpd === undefined ? undefined : this.#onlyIcloudpd();
    if (icloudpd === undefined) return this.#onlyKei(kei);
    const folder = this.#folder(folderOf(kei), folderOf(icloudpd));
    const name = this.#name(kei, icloudpd);
    return folder === undefined || name === undefined ? undefined : [...folder, ...name];
  }

  #folder(kei: string, icloudpd: string): readonly ReasonId[] | undefined {
    if (kei === icloudpd) return [];
    const template = this.#row.icloudpd.includes("{:%Y/%B}") ? yearAndMonth : yearMonthDay;
    const { capture, machine } = this.#days();
    return template(capture) === kei && template(machine) === icloudpd ? ["clock"] : undefined;
  }

  #name(keiPath: string, icloudpdPath: string): readonly ReasonId[] | undefined {
    const { fact } = this;
    let kei = leafOf(keiPath);
    let icloudpd = leafOf(icloudpdPath);
    if (kei === icloudpd) return [];
    if (isTooLong(fact) && icloudpd.endsWith(".part")) return ["tooLong"];
    if (kei.startsWith(keiFingerprint(fact))) return this.#nameless(icloudpd);

    const reasons: ReasonId[] = [];
    const undo = (reason: ReasonId, ours: string, theirs: string): void => {
      if (ours === kei && theirs === icloudpd) return;
      reasons.push(reason);
      kei = ours;
      icloudpd = theirs;
    };
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
    undo("control", kei, icloudpd.replaceAll(/[\u0001-\u001f\u007f-\u009f]/g, "_"));
    if (!kei.includes(".")) undo("loneDot", kei, icloudpd.replace(/\.$/, ""));
    if (fact.uti === WEBP) undo("webp", kei, icloudpd.replace(/\.[^.]*$/, ".WEBP"));
    if (fact.rendition === "adjusted" && kei.includes("_edited"))
      undo("edited", kei.replace(/_edited(?=[^_]*$)/, ""), this.#ascii(icloudpd.replace("-adjusted", "")));
    if (/_(RAW|alt)(?=[-.])/.test(kei))
      undo(
        "alternative",
        kei.replace(/_(RAW|alt)(?=[-.][^_]*$)/, ""),
        this.#ascii(icloudpd.replace("-alternative", "")),
      );
    const sized = /^(?<stem>.*)-(?<size>medium|thumb)_(?<id>.{7})(?<rest>\..*)$/.exec(kei)?.groups;
    if (sized !== undefined)
      undo("sizeAndId", `${sized["stem"]}_${sized["id"]}-${sized["size"]}${sized["rest"]}`, icloudpd);
    const [own, shared] = [shortId(fact.assetId), shortId(fact.masterName)];
    if (this.#facts.isDuplicated(fact)) undo("duplicates", kei.replace(`_${own}`, `_${shared}`), icloudpd);
    if (kei === icloudpd) return reasons;
    return this.#otherwise(reasons, kei, icloudpd, keiPath, icloudpdPath);
  }

  /** What is left are suffixes of videos, and of names that were taken. */
  #otherwise(
    reasons: ReasonId[],
    kei: string,
    icloudpd: string,
    keiPath: string,
    icloudpdPath: string,
  ): readonly ReasonId[] | undefined {
    const isMotion = this.fact.rendition?.startsWith("live_") === true;
    const marked = isMotion && /-(medium|thumb)(?=(-\d+)?\.)/.test(icloudpd);
    const theirs = marked ? icloudpd.replace(/-(medium|thumb)(?=(-\d+)?\.[^.]*$)/, "") : icloudpd;
    if (marked) reasons.push("liveSize");
    if (kei === theirs) return reasons;
    if (isMotion && this.#followsStill(kei, theirs, folderOf(keiPath))) return [...reasons, "followsStill"];
    if (this.#withoutSuffix(kei) !== this.#withoutSuffix(theirs)) return undefined;
    // A suffix is there because something else has the plain name.
    const proven = this.#isTaken(keiPath, this.#facts.kei) && this.#isTaken(icloudpdPath, this.#facts.icloudpd);
    return proven ? [...reasons, "collision"] : undefined;
  }

  /** kei's video is named after its still, icloudpd's after the name in iCloud. */
  #followsStill(kei: string, icloudpd: string, folder: string): boolean {
    const own = this.#motion(this.#ascii(this.fact.filename ?? ""));
    if (this.#withoutSuffix(icloudpd) !== own) return false;
    return this.#facts.keiStills(this.fact, folder).some((still) => {
      const after = this.#motion(still);
      if (after === own) return false;
      const taken = this.#facts.kei.has(inFolder(folder, after));
      return kei === after || (taken && this.#withoutSuffix(kei) === this.#withoutSuffix(after));
    });
  }

  #isTaken(path: string, tree: ReadonlyMap<string, unknown>): boolean {
    const bare = this.#withoutSuffix(leafOf(path));
    return bare === leafOf(path) || tree.has(inFolder(folderOf(path), bare));
  }

  #nameless(icloudpd: string): readonly ReasonId[] | undefined {
    const { fact } = this;
    // icloudpd has names for photos without one, and takes the extension for a name where it is empty.
    if (fact.filename === undefined)
      return icloudpd.startsWith(icloudpdFingerprint(fact)) || /^[._]/.test(icloudpd) ? ["noName"] : undefined;
    const stem = this.#ascii(fact.filename).replace(/\.[^.]*$/, "");
    return stem === "" && icloudpd.startsWith(".") ? ["noStem"] : undefined;
  }

  #onlyKei(kei: string): readonly ReasonId[] | undefined {
    const { fact } = this;
    const reason = this.#selection("kei");
    if (reason !== undefined) return [reason];
    if (fact.rendition === "live_adjusted" || (fact.rendition === "adjusted" && fact.prefix === "resVidFull"))
      return ["editedVideo"];
    if (this.#isWebp()) return ["webp"];
    if (this.#facts.isDuplicated(fact) && this.#facts.icloudpdHasOriginalOf(fact)) return ["duplicates"];
    if (fact.rendition === "live_original" && this.#row.icloudpd.includes("--live-photo-size")) return ["liveFallback"];
    if (isTooLong(fact)) return ["tooLong"];
    const { capture, machine } = this.#days();
    const folders = new Set([folderOf(kei), yearMonthDay(capture), yearMonthDay(machine)]);
    for (const folder of folders) {
      const bare = this.#withoutSuffix(leafOf(kei));
      const has = (leaf: string) => this.#facts.icloudpd.get(inFolder(folder, leaf))?.size === this.difference.size;
      const sized = bare.replace(/(?=\.[^.]*$)/, `-${this.difference.size}`);
      if (bare !== leafOf(kei) && (has(bare) || has(sized))) return ["sameSize"];
      if (has(bare.replace(/(?=\.[^.]*$)/, "-original"))) return ["marked"];
    }
    return undefined;
  }

  #onlyIcloudpd(): readonly ReasonId[] | undefined {
    const { fact } = this;
    const reason = this.#selection("icloudpd");
    if (reason !== undefined) return [reason];
    if (this.#isWebp()) return ["webp"];
    if (fact.rendition === "alternative" && this.#facts.sibling(fact, "live_original") !== undefined)
      return ["liveAlternative"];
    const edited = this.#facts.sibling(fact, fact.rendition === "live_original" ? "live_adjusted" : "adjusted");
    if (this.#row.icloudpd.includes("adjusted") && edited !== undefined && edited.prefix === "resVidFull")
      return ["editedVideo"];
    return this.#facts.isDuplicated(fact) ? ["duplicates"] : undefined;
  }

  /** By its type, or by its name where the type says nothing: a picture for kei, a film for icloudpd. */
  #isWebp(): boolean {
    return this.#facts.sibling(this.fact, "original")?.uti === WEBP || /\.webp$/i.test(this.fact.filename ?? "");
  }

  /** Whether one side selects the photo and the other doesn't. */
  #selection(side: "kei" | "icloudpd"): ReasonId | undefined {
    const { from, to, recent } = this.#row;
    const { capture, machine } = this.#days();
    // kei keeps whole days where the photo was taken; icloudpd compares with midnight here.
    const kei = (from === undefined || capture >= from) && (to === undefined || capture <= to);
    const icloudpd = (from === undefined || machine >= from) && (to === undefined || machine < to);
    if (kei !== icloudpd && kei === (side === "kei")) return "days";
    if (recent === undefined) return undefined;
    // kei takes what came last to iCloud; icloudpd what was taken last, without counting duplicates.
    const later = this.#facts.takenLater(this.fact);
    return (side === "kei" ? later >= recent : later < recent + this.#facts.duplicates) ? "recent" : undefined;
  }

  /** Days (`2024-05-31`) of the capture: where it was taken, and where this machine is. */
  #days(): { readonly capture: string; readonly machine: string } {
    const { assetDate = 0, timeZoneOffset } = this.fact;
    const machine = new Intl.DateTimeFormat("sv-SE", { timeZone: this.about.zone }).format(assetDate);
    const capture = new Date(assetDate + (timeZoneOffset ?? 0) * 1000).toISOString().slice(0, 10);
    return { machine, capture: timeZoneOffset === undefined ? machine : capture };
  }

  #ascii(name: string): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that stay.
    return this.#row.icloudpd.includes("--keep-unicode-in-filenames") ? name : name.replaceAll(/[^\u0000-\u007f]/g, "");
  }

  /** Name of a Live Photo's video by that of a still. */
  #motion(still: string): string {
    const suffix = this.#row.icloudpd.includes("--live-photo-mov-filename-policy") ? "" : "_HEVC";
    return /\.heic$/i.test(still) ? `${stemOf(still)}${suffix}.MOV` : `${stemOf(still)}.MOV`;
  }

  /** Without its id, or its size in bytes; a video's may be that of its still. */
  #withoutSuffix(leaf: string): string {
    const size = this.fact.rendition?.startsWith("live_") === true ? "\\d+" : String(this.difference.size);
    return leaf
      .replace(new RegExp(`-${this.fact.assetId}(-\\d+)?(?=[._]|$)`), "")
      .replace(new RegExp(`-${size}(?=(_HEVC)?(\\.[^.]*)?$)`), "");
  }
}

const yearMonthDay = (day: string): string => day.replaceAll("-", "/");
const yearAndMonth = (day: string): string =>
  `${day.slice(0, 4)}/${new Intl.DateTimeFormat("en", { month: "long", timeZone: "UTC" }).format(new Date(day))}`;
const stemOf = (leaf: string): string => leaf.replace(/\.[^.]*$/, "");
const inFolder = (folder: string, leaf: string): string => (folder === "" ? leaf : `${folder}/${leaf}`);
const WEBP = "org.webmproject.webp";
const shortId = (id: string): string => Buffer.from(id).toString("base64url").slice(0, 7);
const isTooLong = ({ filename }: Fact): boolean => Buffer.byteLength(filename ?? "") > 240;
