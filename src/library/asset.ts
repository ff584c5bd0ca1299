/**
 * What an asset is, as the rest of kei sees it: values decoded from Apple's records, nothing of the wire left.
 * Facts: cloudkit.md 5, files.md 1.1.
 */

/** A CloudKit zone that holds photos: `PrimarySync` or `SharedSync-<UUID>`. */
export type ZoneName = string & { readonly __zone: true };
/** Zone of the account's own library; the only one with albums (cloudkit.md 2.4). */
export const PRIMARY_ZONE = "PrimarySync";
/** `CPLAsset.recordName`: the identity of a photo. */
export type AssetId = string & { readonly __asset: true };
/** `CPLMaster.recordName`: the identity of a binary; several assets may share one. */
export type MasterId = string & { readonly __master: true };
/** `CPLAlbum.recordName`. */
export type AlbumId = string & { readonly __album: true };
/** Apple's `fileChecksum`, base64 as received. Provable when it decodes to 21 bytes starting with 0x01. */
export type AppleChecksum = string & { readonly __checksum: true };

/** Every downloadable resource of an asset that kei knows, in the order in which files.md 1.1 lists them. */
export const RENDITIONS = [
  "original",
  "alternative",
  "adjusted",
  "medium",
  "thumb",
  "live_original",
  "live_medium",
  "live_thumb",
  "live_adjusted",
] as const;
export type Rendition = (typeof RENDITIONS)[number];

/** One file that Apple offers for an asset. */
export interface Resource {
  readonly checksum: AppleChecksum;
  /** Exact length of the body in bytes. */
  readonly size: number;
  /** Signed and short-lived. Never log it, never store it. */
  readonly url: string;
  /** Uniform type identifier of this file, e.g. `public.heic`; decides the extension. */
  readonly uti: string;
  readonly width: number | undefined;
  readonly height: number | undefined;
}

export type MediaKind = "photo" | "video" | "live-photo";

/** One photo or film, with everything needed to decide where it belongs and to fetch it. */
export interface Asset {
  readonly library: ZoneName;
  readonly id: AssetId;
  readonly masterId: MasterId;
  /** Provider name as people see it, undecoded garbage and absence both undefined. Untrusted. */
  readonly filename: string | undefined;
  /** UTI of the original as the master states it. */
  readonly itemType: string | undefined;
  readonly kind: MediaKind;
  /** Capture instant, ms since the epoch, may be negative or fractional. */
  readonly capturedAt: number;
  /** Seconds east of UTC at capture; undefined when missing or unusable (|x| >= 86400). */
  readonly timeZoneOffset: number | undefined;
  /** Arrival in iCloud, ms since the epoch. */
  readonly addedAt: number | undefined;
  readonly isFavorite: boolean;
  readonly isHidden: boolean;
  readonly isDeleted: boolean;
  /** Opaque version of the asset record. */
  readonly changeTag: string | undefined;
  readonly renditions: Readonly<Partial<Record<Rendition, Resource>>>;
  /** Resources that exist but cannot be used (no URL, no size, ...), with the reason. */
  readonly defects: ReadonlyArray<{ readonly rendition: Rendition; readonly reason: string }>;
}
