/** From what a test asked for to the data of master and asset. */
import { createHash } from "node:crypto";
import { type Body, generatedBody, givenBody } from "./body.ts";
import type { Seed } from "./random.ts";
import { type AssetData, encoded, type Field, type MasterData, type Resource, type ResourcePrefix } from "./records.ts";
import type { AssetSpec, FileName, ResourceSpec } from "./spec.ts";

const VIDEO_UTIS: ReadonlySet<string> = new Set([
  "com.apple.quicktime-movie",
  "public.mpeg-4",
  "com.apple.m4v-video",
  "public.3gpp",
  "public.mpeg",
  "public.avi",
]);

/** Makes files; each generated one gets content of its own unless a key says otherwise. */
export class FileMaker {
  #made = 0;
  constructor(private readonly seed: Seed) {}

  all(files: Readonly<Partial<Record<ResourcePrefix, ResourceSpec>>>): Resource[] {
    return Object.entries(files).map(([prefix, spec]) => ({
      prefix: prefix as ResourcePrefix,
      body: this.#body(spec),
      width: spec.width ?? 4032,
      height: spec.height ?? 3024,
      ...(spec.wrappingKey === undefined ? {} : { wrappingKey: spec.wrappingKey }),
    }));
  }

  #body(spec: ResourceSpec): Body {
    if (typeof spec.content !== "number") return givenBody(spec.content, spec.uti);
    this.#made += 1;
    return generatedBody(spec.key ?? `${this.seed}:${this.#made}`, spec.uti, spec.content);
  }
}

/** The files of a new master: the original first. */
export function masterFiles(spec: AssetSpec): Readonly<Partial<Record<ResourcePrefix, ResourceSpec>>> {
  return {
    resOriginal: {
      uti: spec.uti ?? DEFAULT_UTI,
      content: spec.content ?? 4096,
      width: spec.width ?? 4032,
      height: spec.height ?? 3024,
      ...(spec.key === undefined ? {} : { key: spec.key }),
      ...(spec.wrappingKey === undefined ? {} : { wrappingKey: spec.wrappingKey }),
    },
    ...(spec.alternative === undefined ? {} : { resOriginalAlt: spec.alternative }),
    ...(spec.motion === undefined ? {} : { resOriginalVidCompl: spec.motion }),
    ...spec.masterResources,
  };
}

const DEFAULT_UTI = "public.jpeg";

export function masterData(
  spec: AssetSpec,
  resources: Resource[],
  importDate: number,
  contributors: readonly string[] | undefined,
): MasterData {
  const uti = spec.uti ?? DEFAULT_UTI;
  return {
    kind: "master",
    itemType: spec.itemType === null ? undefined : (spec.itemType ?? { value: uti, type: "STRING" }),
    dataClass: VIDEO_UTIS.has(uti) ? 2 : 1,
    filename: filenameField(spec.filename === undefined ? "IMG_0001.JPG" : spec.filename),
    originalOrientation: spec.originalOrientation ?? spec.orientation ?? 1,
    resources,
    importDate,
    contributors,
  };
}

/** `now` stands in for dates that were not given. */
export function assetData(
  spec: AssetSpec,
  masterName: string,
  now: number,
  resources: Resource[],
  isLive: boolean,
  contributors: readonly string[] | undefined,
): AssetData {
  const given = spec.assetDate;
  const assetDate = given === "absent" ? undefined : given === undefined ? now : given;
  const edited = resources.some((file) => file.prefix === "resJPEGFull" || file.prefix === "resVidFull");
  return {
    ...plainAsset(masterName, assetDate, spec.addedDate ?? now),
    timeZoneOffset: spec.timeZoneOffset === undefined ? 0 : (spec.timeZoneOffset ?? undefined),
    timeZoneName: spec.timeZoneName,
    isFavorite: spec.favorite === true ? 1 : 0,
    isHidden: spec.hidden === true ? 1 : 0,
    orientation: spec.orientation ?? 1,
    durationMs: spec.durationMs ?? 0,
    subtypeV2: spec.subtypeV2 ?? (isLive ? 2 : 0),
    adjustmentType: spec.adjustmentType ?? (edited ? "com.apple.photo" : undefined),
    adjustmentRenderType: edited ? 2050 : 0,
    motion: isLive ? { durationNs: 2_500_000_000, stillNs: 1_200_000_000 } : undefined,
    burstId: spec.burst?.id,
    burstKey: spec.burst?.key,
    subject: spec.subject,
    location: spec.location,
    title: spec.title,
    description: spec.description,
    keywords: spec.keywords,
    resources,
    contributors,
  };
}

/** 16 bytes per file that never change; `wrappingKey` of ASSETID values. */
export function wrappingKeyOf(resource: Resource): Uint8Array {
  return resource.wrappingKey ?? createHash("sha1").update(`key/${resource.body.checksum}`).digest().subarray(0, 16);
}

function filenameField(name: FileName): Field | undefined {
  if (name === null) return undefined;
  return typeof name === "string" ? encoded(name) : name.field;
}

export function plainAsset(
  masterName: string | undefined,
  assetDate: number | null | undefined,
  addedDate: number,
): AssetData {
  return {
    kind: "asset",
    masterName,
    assetDate,
    addedDate,
    timeZoneOffset: 0,
    isFavorite: 0,
    isHidden: 0,
    orientation: 1,
    durationMs: 0,
    subtype: 0,
    subtypeV2: 0,
    hdrType: 0,
    customRendered: 0,
    adjustmentRenderType: 0,
    burstFlags: 0,
    resources: [],
  };
}
