import { createRng, type Rng, type Seed } from "./random.ts";
import type { PlainData, Resource, Spoil, Stamp } from "./records.ts";
import type { LibraryOptions } from "./spec.ts";
import { Zone, type ZoneOptions } from "./zone.ts";

/** Where a file belongs. */
export interface PublishedFile {
  readonly resource: Resource;
  readonly zone: Zone;
  /** Name of the master or asset record that holds it. */
  readonly owner: string;
}

/** The account's zones, and the files that its records have told of so far. */
export class PhotoStore {
  readonly seed: Seed;
  readonly user: string;
  readonly rng: Rng;
  readonly zones: Zone[] = [];
  /** Follows the double's clock once it serves this library. */
  now: () => number;
  #writes = 0;
  readonly #forgotten = new Set<string>();
  readonly #device: string;
  readonly #resources = new Map<string, PublishedFile>();

  constructor(options: LibraryOptions = {}) {
    this.seed = options.seed ?? 1;
    this.rng = createRng(`library/${this.seed}`);
    this.now = options.now ?? Date.now;
    this.user = options.user ?? `_${Buffer.from(createRng(`user/${this.seed}`).bytes(16)).toString("hex")}`;
    this.#device = Buffer.from(createRng(`device/${this.seed}`).bytes(32))
      .toString("hex")
      .toUpperCase();
    this.addZone({
      name: "PrimarySync",
      database: "private",
      ...(options.sequence === undefined ? {} : { sequence: options.sequence }),
      ...(options.tokenConstant === undefined ? {} : { tokenConstant: options.tokenConstant }),
    });
  }

  /** Writes of all zones so far; what database tokens count. */
  get writes(): number {
    return this.#writes;
  }

  get primary(): Zone {
    return this.zone("PrimarySync");
  }

  zone(name: string): Zone {
    const zone = this.zones.find((candidate) => candidate.name === name);
    if (zone === undefined) throw new Error(`no zone ${name}`);
    return zone;
  }

  addZone(options: Omit<ZoneOptions, "owner" | "onWrite"> & { readonly owner?: string }): Zone {
    const zone = new Zone({
      ...options,
      owner: options.owner ?? this.user,
      onWrite: () => {
        this.#writes += 1;
        return this.#writes;
      },
    });
    this.zones.push(zone);
    return zone;
  }

  /** A shared library: in `private` for its owner, in `shared` for everybody else (cloudkit.md 2.2). */
  addSharedLibrary(role: "owner" | "participant", id: string = this.rng.uuid()): Zone {
    const other = `_${Buffer.from(createRng(`other/${this.seed}/${id}`).bytes(16)).toString("hex")}`;
    return this.addZone({
      name: `SharedSync-${id}`,
      database: role === "owner" ? "private" : "shared",
      owner: role === "owner" ? this.user : other,
    });
  }

  /** Zones that are no libraries and must not be touched. */
  addDecoys(): void {
    for (const prefix of ["CMM-", "SharedCollection-", "AppLibrarySync-com.apple.GenerativePlayground-"]) {
      this.addZone({ name: `${prefix}${this.rng.uuid()}`, database: "private", role: "decoy" });
    }
    this.addZone({ name: `SharedSync-${this.rng.uuid()}`, database: "private", deleted: true });
  }

  stamp(deviceId: string = this.#device, at: number = this.now()): Stamp {
    return { timestamp: at, userRecordName: this.user, deviceId };
  }

  /** Records of other kinds: they move the token and mean nothing to a downloader. */
  addNoise(zone: Zone = this.primary, count = 1): void {
    const types = ["CPLFaceCrop", "CPLPerson", "CPLMemory", "CPLSuggestion"];
    for (let index = 0; index < count; index += 1) {
      const data: PlainData = { kind: "plain", fields: { version: { value: 1, type: "INT64" } } };
      zone.create(this.rng.uuid(), data, this.stamp(), types[index % types.length] ?? "CPLFaceCrop");
    }
  }

  /** Spoils what the double sends of a record, without touching what the library knows about it. */
  spoil(zone: Zone, recordName: string, spoil: Spoil): void {
    const record = zone.get(recordName);
    if (record === undefined) throw new Error(`no record ${recordName} in ${zone.name}`);
    record.spoils = [...(record.spoils ?? []), spoil];
  }

  /** Which file a checksum names; what the CDN serves. */
  resource(checksum: string): PublishedFile | undefined {
    return this.#resources.get(checksum);
  }

  /** Called when a download URL is made. */
  publish(resource: Resource, zone: Zone, owner: string): void {
    const { checksum } = resource.body;
    if (!this.#resources.has(checksum) && !this.#forgotten.has(checksum))
      this.#resources.set(checksum, { resource, zone, owner });
  }

  /** Makes a CDN forget a file: a resource that is gone (404). */
  forget(checksum: string): void {
    this.#resources.delete(checksum);
    this.#forgotten.add(checksum);
  }
}
