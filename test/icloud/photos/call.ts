/** One call of a CloudKit operation, and how it can fail. */
import type { DoubleContext } from "../contract.ts";
import type { DataFaults } from "./faults.ts";
import type { Json } from "./json.ts";
import type { PhotoLibrary } from "./library.ts";
import type { RenderContext } from "./render.ts";
import type { PhotosSettings } from "./settings.ts";
import type { Zone } from "./zone.ts";

export interface Call {
  readonly context: DoubleContext;
  readonly library: PhotoLibrary;
  readonly settings: PhotosSettings;
  readonly faults: DataFaults;
  readonly database: "private" | "shared";
  /** `getCurrentSyncToken=true`: replies then carry `syncToken` (cloudkit.md 1.2). */
  readonly wantsToken: boolean;
  readonly requestId: string;
  readonly cdnHost: string;
  /** Things that live between calls. */
  readonly memory: CallMemory;
}

/** What one answer leaves for the next. */
export interface CallMemory {
  readonly pagesServed: Map<string, number>;
  /** Masters held back until the next page of the same list. */
  readonly heldMasters: Map<string, string[]>;
  databaseCalls: number;
}

export interface Answer {
  readonly body: Json;
  /** Records in it; what Apple's time depends on. */
  readonly weight: number;
}

/** An error as CloudKit words it (cloudkit.md 7.1). */
export class CloudKitError extends Error {
  override readonly name = "CloudKitError";
  constructor(
    readonly status: number,
    readonly code: string,
    readonly reason: string,
  ) {
    super(`${code}: ${reason}`);
  }
}

export const badRequest = (reason: string): CloudKitError => new CloudKitError(400, "BAD_REQUEST", reason);

/** The edge in front of CloudKit gave up; not JSON at all. */
export class GatewayFailure extends Error {
  override readonly name = "GatewayFailure";
  constructor(readonly status: 502) {
    super(`gateway ${status}`);
  }
}

export function renderContext(call: Call, keys: ReadonlySet<string> | undefined): RenderContext {
  return {
    library: call.library,
    keys,
    cdnHost: call.cdnHost,
    partition: call.context.partition,
    expires: Math.floor((call.context.now() + call.settings.urlLifetimeMs) / 1000),
    requestId: call.requestId,
  };
}

export const tokenOf = (call: Call, zone: Zone): { readonly syncToken?: string } =>
  call.wantsToken ? { syncToken: zone.token } : {};
