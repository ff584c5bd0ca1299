/** Where files of an asset may stand that kei or icloudpd have saved before (files.md 7.2, 7.4). */
import { type Asset, type MasterId, RENDITIONS, type Rendition, type Resource } from "../asset.ts";
import { type ChosenFile, chooseFiles } from "../choose.ts";
import { addSuffix, cleanName } from "../clean.ts";
import type { ZoneOffset } from "../local-time.ts";
import { fileName, motionName, type NamingSettings } from "../names.ts";
import { type FolderTemplate, renderFolder } from "../template.ts";
import { amPmSpellings } from "../unicode.ts";
import { icloudpdNames } from "./icloudpd-names.ts";

/** A path that may hold a rendition. */
export interface Candidate {
  readonly path: string;
  /** The name carries the asset's own id: it can be no other's. */
  readonly byIdentity: boolean;
}

/** One rendition of an asset, and where it may be, the likeliest place first. */
export interface Wanted {
  readonly asset: Asset;
  readonly rendition: Rendition;
  readonly resource: Resource;
  /** The settings ask for it; others are recognised when they are met, and missed by nobody (files.md IM-10). */
  readonly expected: boolean;
  readonly candidates: readonly Candidate[];
}

export interface CandidateSettings {
  readonly naming: NamingSettings;
  readonly template: FolderTemplate;
  readonly machineZone?: ZoneOffset;
}

/** Ordinals behind an id that are looked for. */
const ORDINALS = [2, 3, 4, 5, 6, 7, 8, 9];

/** Everything of an asset that may be on disk already: what the settings ask for first, then its other renditions. */
export function candidatesOf(asset: Asset, settings: CandidateSettings): readonly Wanted[] {
  const { naming } = settings;
  const folders = foldersOf(asset, settings);
  const chosen = chooseFiles(asset, naming);
  const still = chosen.find((file) => file.role === "primary");
  const stillNames = still === undefined ? [] : ownNames(asset, still, naming, []);
  const expected = chosen.map((file) => {
    const names = ownNames(asset, file, naming, file.role === "motion" ? stillNames : []);
    return wanted(asset, file.rendition, file.resource, true, names, folders, naming);
  });
  const others = RENDITIONS.flatMap((rendition) => {
    const resource = asset.renditions[rendition];
    if (resource === undefined || chosen.some((file) => file.rendition === rendition)) return [];
    return [wanted(asset, rendition, resource, false, [], folders, naming)];
  });
  return [...expected, ...others];
}

interface Name {
  readonly leaf: string;
  readonly byIdentity: boolean;
}

/** Capture-local, as kei has it now, and in the zone of the machine, as icloudpd and earlier releases have it. */
function foldersOf(asset: Asset, { template, machineZone }: CandidateSettings): readonly string[] {
  const { capturedAt, library } = asset;
  const options = machineZone === undefined ? {} : { machineZone };
  const zones = [asset.timeZoneOffset, undefined];
  return [
    ...new Set(zones.map((timeZoneOffset) => renderFolder(template, { capturedAt, timeZoneOffset, library }, options))),
  ];
}

/** The names that kei itself gives (files.md 7.2). A video follows each name that its still may have. */
function ownNames(asset: Asset, file: ChosenFile, naming: NamingSettings, stills: readonly Name[]): readonly Name[] {
  const id7 = naming.fileMatchPolicy === "name-id7";
  const motion = file.role === "motion" || file.role === "edited-motion";
  const leaf = fileName(asset, file, naming, undefined);
  const ofItsOwn = id7
    ? [fileName({ ...asset, masterId: asset.id as string as MasterId }, file, naming, undefined)]
    : [];
  const plain = [leaf, ...ofItsOwn];
  const sized = id7 ? [] : [addSuffix(leaf, `-${file.resource.size}`)];
  const spelled = motion ? [] : plain.flatMap(amPmSpellings);
  const identity = cleanName(asset.id);
  const suffixes = [`-${identity}`, ...ORDINALS.map((ordinal) => `-${identity}-${ordinal}`)];
  const byId = [...plain, ...sized].flatMap((name) => suffixes.map((suffix) => addSuffix(name, suffix)));
  return [
    ...[...plain, ...sized, ...spelled].map((name) => ({ leaf: name, byIdentity: false })),
    ...(id7 ? [] : stills.map((still) => ({ ...still, leaf: motionName(still.leaf, naming.livePhotoMovNaming) }))),
    ...byId.map((name) => ({ leaf: name, byIdentity: true })),
  ];
}

function wanted(
  asset: Asset,
  rendition: Rendition,
  resource: Resource,
  expected: boolean,
  names: readonly Name[],
  folders: readonly string[],
  naming: NamingSettings,
): Wanted {
  const foreign = icloudpdNames(asset, rendition, resource, naming);
  const spelled = foreign.flatMap((name) => [name, ...amPmSpellings(name)]);
  const all = [...names, ...spelled.map((leaf) => ({ leaf, byIdentity: false }))];
  const candidates = new Map<string, Candidate>();
  for (const { leaf, byIdentity } of all) {
    for (const folder of folders) {
      const path = folder === "" ? leaf : `${folder}/${leaf}`;
      if (!candidates.has(path)) candidates.set(path, { path, byIdentity });
    }
  }
  return { asset, rendition, resource, expected, candidates: [...candidates.values()] };
}
