/** A photos half on its own: a gate that lets everything in that carries a cookie, and a clock that tests turn. */
import type { DoubleContext } from "../icloud/contract.ts";
import {
  createPhotosHalf,
  type PhotoLibrary,
  type PhotosDouble,
  type PhotosHalfOptions,
} from "../icloud/photos/index.ts";

export const START = Date.UTC(2024, 5, 10, 8);
export const QUERY =
  "clientBuildNumber=2522Project44&clientMasteringNumber=2522B2&clientId=00000000-0000-4000-8000-00000000C11D&dsid=10000000001&remapEnums=true&getCurrentSyncToken=true";

export interface Bench extends PhotosDouble {
  now: number;
  /** Sends one CloudKit call with all that it needs. */
  call(operation: string, body: unknown, query?: string, database?: "private" | "shared"): Promise<Response>;
  /** The same, and its body. Fails on any status but 200. */
  json(operation: string, body: unknown, database?: "private" | "shared"): Promise<Reply>;
  download(url: string, headers?: Record<string, string>): Promise<Response>;
}

export interface WireField {
  readonly value: unknown;
  readonly type?: string;
}

export interface WireEntry {
  readonly recordName: string;
  readonly recordType: string | null;
  readonly fields: Readonly<Record<string, WireField>>;
  readonly recordChangeTag: string;
  readonly deleted: boolean;
  readonly expirationTime?: number;
  readonly serverErrorCode?: string;
  readonly reason?: string;
  readonly zoneID?: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
}

export interface ZoneAnswer {
  readonly zoneID: Readonly<Record<string, string>>;
  readonly records: readonly WireEntry[];
  readonly syncToken: string;
  readonly moreComing: boolean;
  readonly deleted?: boolean;
  readonly serverErrorCode?: string;
  readonly reason?: string;
}

/** All members that answers of the double may have; each operation has some of them. */
export interface Reply {
  readonly records: readonly WireEntry[];
  readonly syncToken: string;
  readonly continuationMarker?: string;
  readonly moreComing: boolean;
  readonly batch: readonly Reply[];
  readonly zones: readonly ZoneAnswer[];
}

export interface WireResource {
  readonly fileChecksum: string;
  readonly size: number;
  readonly wrappingKey: string;
  readonly referenceChecksum: string;
  readonly downloadURL: string;
}

/** The ASSETID of a record. */
export function resourceOf(record: WireEntry | undefined, prefix = "resOriginal"): WireResource {
  const field = record?.fields[`${prefix}Res`];
  if (field === undefined) throw new Error(`no ${prefix}Res in ${record?.recordName}`);
  return field.value as WireResource;
}

export const ofType = (records: readonly WireEntry[], type: string): WireEntry[] =>
  records.filter((record) => record.recordType === type);

export function bench(library: PhotoLibrary, options: Omit<PhotosHalfOptions, "library"> = {}): Bench {
  let rotation = 0;
  const state = { now: START };
  const context: DoubleContext = {
    now: () => state.now,
    log: { all: [], count: () => 0, clear: () => undefined },
    gate: {
      refuse: (cookie) => (cookie === undefined ? "Missing X-APPLE-WEBAUTH-USER cookie" : undefined),
      rotate: () => {
        rotation += 1;
        return `X-APPLE-WEBAUTH-TOKEN="v=2:t=${rotation}";Path=/;Domain=.icloud.com;Secure;HttpOnly`;
      },
    },
    partition: 61,
    domain: "com",
    dsid: "10000000001",
  };
  const half = createPhotosHalf(context, { library, ...options });
  const call: Bench["call"] = async (operation, body, query = QUERY, database = "private") =>
    await half.cloudkit.request(
      `https://p61-ckdatabasews.icloud.com/database/1/com.apple.photos.cloud/production/${database}/${operation}${query === "" ? "" : `?${query}`}`,
      {
        method: "POST",
        headers: { "content-type": "text/plain", cookie: 'X-APPLE-WEBAUTH-TOKEN="v=2:t=0"' },
        body: JSON.stringify(body),
      },
    );
  return {
    ...half,
    get now() {
      return state.now;
    },
    set now(value: number) {
      state.now = value;
    },
    call,
    json: async (operation: string, body: unknown, database: "private" | "shared" = "private") => {
      const response = await call(operation, body, QUERY, database);
      if (response.status !== 200) throw new Error(`${operation}: ${response.status} ${await response.text()}`);
      return (await response.json()) as Reply;
    },
    download: async (url: string, headers: Record<string, string> = {}) => await half.cdn.request(url, { headers }),
  };
}

export const zoneID = { zoneName: "PrimarySync" };

/** The body of an asset list (cloudkit.md 3.1). */
export function listBody(
  startRank: number,
  recordType = "CPLAssetAndMasterByAssetDateWithoutHiddenOrDeleted",
  extra: Readonly<Record<string, string>> = {},
  rest: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const equals = (fieldName: string, type: string, value: unknown) => ({
    fieldName,
    comparator: "EQUALS",
    fieldValue: { type, value },
  });
  return {
    query: {
      recordType,
      filterBy: [
        equals("startRank", "INT64", startRank),
        equals("direction", "STRING", "ASCENDING"),
        ...Object.entries(extra).map(([name, value]) => equals(name, "STRING", value)),
      ],
    },
    resultsLimit: 200,
    zoneID,
    ...rest,
  };
}
