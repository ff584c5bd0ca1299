/** The photos half of the iCloud double: a library, CloudKit in front of it, and a CDN. */
import type { DoubleContext, PhotosHalf } from "../contract.ts";
import { type CdnTraffic, createCdn } from "./cdn.ts";
import { CdnFaults } from "./cdn-faults.ts";
import { createCloudKit } from "./cloudkit.ts";
import { DataFaults } from "./faults.ts";
import type { PhotoLibrary } from "./library.ts";
import { operationOf } from "./operations.ts";
import { defaultSettings, type PhotosSettings } from "./settings.ts";

export type { CdnFault, CdnFaultKind, CdnRequest, InjectedFault } from "./cdn-faults.ts";
export { type ExpectedFile, type ExpectedOptions, type ExpectedRendition, expectedFiles } from "./expected.ts";
export { createLibrary, type GenerateOptions } from "./generate.ts";
export { assetHandle, PhotoLibrary } from "./library.ts";
export { mixedSampleLibrary } from "./sample.ts";
export type { PageEvent, PhotosSettings } from "./settings.ts";
export type { AddedAsset, AlbumSpec, AssetSpec, LibraryOptions, ResourceSpec } from "./spec.ts";
export { spoils } from "./spoils.ts";
export type { Zone } from "./zone.ts";

export interface PhotosHalfOptions extends Partial<PhotosSettings> {
  readonly library: PhotoLibrary;
}

/** The photos half with its switches. */
export interface PhotosDouble extends PhotosHalf {
  readonly library: PhotoLibrary;
  /** May be changed while the double runs. */
  readonly settings: PhotosSettings;
  readonly dataFaults: DataFaults;
  readonly cdnFaults: CdnFaults;
  readonly traffic: CdnTraffic;
  /** `cvws.icloud-content.com`, or its sibling in China. */
  readonly cdnHost: string;
}

export function createPhotosHalf(context: DoubleContext, options: PhotosHalfOptions): PhotosDouble {
  const { library, ...given } = options;
  const settings: PhotosSettings = { ...defaultSettings(), ...given };
  const dataFaults = new DataFaults();
  const cdnFaults = new CdnFaults();
  const cdnHost = `cvws.icloud-content.${context.domain === "cn" ? "com.cn" : "com"}`;
  library.now = context.now;
  const { app: cdn, traffic } = createCdn({ context, library, settings, faults: cdnFaults });
  const cloudkit = createCloudKit({ context, library, settings, faults: dataFaults, cdnHost });
  return { cloudkit, cdn, operationOf, library, settings, dataFaults, cdnFaults, traffic, cdnHost };
}
