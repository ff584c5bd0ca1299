import { fileChecksum } from "./checksum.ts";
import { fileHead } from "./magic.ts";
import { createRng, hash32 } from "./random.ts";

/**
 * The content of one file. Nothing is kept but a key and a size: the bytes are a file head of the right kind, the key,
 * and a slice of one shared block of noise at a place that the key decides. So 100,000 files cost no memory, and no two
 * of them agree at any offset.
 */
export interface Body {
  readonly uti: string;
  readonly size: number;
  /** Bytes from `start` (inclusive) to `end` (exclusive). */
  bytes(start?: number, end?: number): Uint8Array;
  /** Apple's checksum, computed at first use. */
  readonly checksum: string;
}

const NOISE_BYTES = 1 << 22;
let noiseBlock: Uint8Array | undefined;

function noise(): Uint8Array {
  if (noiseBlock === undefined) {
    const rng = createRng("noise");
    const words = new Uint32Array(NOISE_BYTES / 4);
    for (let index = 0; index < words.length; index += 1) words[index] = rng.next() * 0x1_0000_0000;
    noiseBlock = new Uint8Array(words.buffer);
  }
  return noiseBlock;
}

/** A generated file. The same key, kind and size are the same bytes. */
export function generatedBody(key: string, uti: string, size: number): Body {
  return new GeneratedBody(key, uti, size);
}

/** A file whose bytes the test gives. */
export function givenBody(bytes: Uint8Array, uti: string): Body {
  return new GivenBody(bytes, uti);
}

class GivenBody implements Body {
  #checksum: string | undefined;
  constructor(
    private readonly content: Uint8Array,
    readonly uti: string,
  ) {}
  get size(): number {
    return this.content.length;
  }
  get checksum(): string {
    this.#checksum ??= fileChecksum(this.content);
    return this.#checksum;
  }
  bytes(start = 0, end = this.content.length): Uint8Array {
    return this.content.slice(start, end);
  }
}

class GeneratedBody implements Body {
  #checksum: string | undefined;
  constructor(
    private readonly key: string,
    readonly uti: string,
    readonly size: number,
  ) {}

  get checksum(): string {
    this.#checksum ??= fileChecksum(...this.#parts(0, this.size));
    return this.#checksum;
  }

  bytes(start = 0, end = this.size): Uint8Array {
    const parts = this.#parts(start, Math.min(end, this.size));
    const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let position = 0;
    for (const part of parts) {
      out.set(part, position);
      position += part.length;
    }
    return out;
  }

  /** The wanted range as views on the head and on the noise; nothing is copied. */
  #parts(start: number, end: number): Uint8Array[] {
    const head = Buffer.concat([fileHead(this.uti, this.size), Buffer.from(this.key, "utf8")]);
    const parts: Uint8Array[] = [];
    if (start < head.length) parts.push(head.subarray(start, Math.min(end, head.length)));
    const block = noise();
    const origin = hash32(`${this.key}/${this.uti}`);
    for (let at = Math.max(start, head.length); at < end; ) {
      const offset = (origin + at) % block.length;
      const length = Math.min(end - at, block.length - offset);
      parts.push(block.subarray(offset, offset + length));
      at += length;
    }
    return parts;
  }
}
