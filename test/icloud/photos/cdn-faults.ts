/** What can go wrong with a download (cloudkit.md 6.2 to 6.4, 9.14 row 20), switched on by tests. */
import type { ResourcePrefix } from "./records.ts";

/** One request to the CDN, as a matcher sees it. */
export interface CdnRequest {
  readonly url: string;
  readonly zone: string;
  /** Record that owns the file: a master's or an asset's name. */
  readonly owner: string;
  /** Assets that show this file. */
  readonly assetIds: readonly string[];
  readonly prefix: ResourcePrefix;
  readonly checksum: string;
  readonly size: number;
  /** Raw `Range` header. */
  readonly range: string | undefined;
  /** First byte wanted. */
  readonly offset: number;
  /** How often this file was asked for before. */
  readonly earlier: number;
}

export type CdnFaultKind =
  /** Another status; 403, 404, 410, 429, 5xx. `retryAfter` in seconds or as text. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: number | string; readonly body?: string }
  /** 200 with the whole body although a Range was asked for. */
  | { readonly kind: "ignore-range" }
  /** The body ends after so many bytes; with `contentLength` the full length was promised, without it was chunked. */
  | { readonly kind: "truncate"; readonly bytes: number; readonly contentLength: boolean }
  /** One wrong bit, by default in the middle of what is sent. */
  | { readonly kind: "flip-bit"; readonly at?: number }
  /** A complete answer that is too short: `Content-Length` and body agree on fewer bytes. */
  | { readonly kind: "short-length"; readonly by: number }
  /** More bytes than the resource has. */
  | { readonly kind: "long-body"; readonly by: number }
  /** No `Content-Length`. */
  | { readonly kind: "chunked" }
  | { readonly kind: "html"; readonly contentType?: string }
  | { readonly kind: "json"; readonly contentType?: string }
  /** What a refused download was once reported to look like: 17 bytes with status 200. */
  | { readonly kind: "tiny" }
  | { readonly kind: "empty" }
  /** Slow but steady: `bytes` every `intervalMs`. */
  | { readonly kind: "drip"; readonly bytes: number; readonly intervalMs: number }
  /** The connection breaks after so many bytes. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** Headers and some bytes, then silence until the client gives up. */
  | { readonly kind: "stall"; readonly afterBytes: number }
  /** 206 that begins somewhere else than asked, and says so. */
  | { readonly kind: "shifted-range"; readonly by: number }
  /** 206 whose bytes begin somewhere else than its Content-Range says. */
  | { readonly kind: "lying-range"; readonly by: number }
  /** 206 with a Content-Range that cannot be read, or none. */
  | { readonly kind: "bad-content-range"; readonly value?: string }
  | { readonly kind: "redirect"; readonly location: string };

export type CdnFault = CdnFaultKind & {
  /** Which requests; absent: every one. */
  readonly match?: (request: CdnRequest) => boolean;
  /** How often; default 1. */
  readonly times?: number;
  /** Matching requests that pass first; default 0. */
  readonly skip?: number;
};

export interface InjectedFault {
  /** How often it struck. */
  readonly hits: number;
  remove(): void;
}

interface Armed {
  readonly fault: CdnFault;
  left: number;
  skip: number;
  hits: number;
}

export class CdnFaults {
  readonly #armed: Armed[] = [];
  /** Decides about each request after the injected faults; for random storms. */
  decide: ((request: CdnRequest) => CdnFaultKind | undefined) | undefined;

  inject(fault: CdnFault): InjectedFault {
    const armed: Armed = { fault, left: fault.times ?? 1, skip: fault.skip ?? 0, hits: 0 };
    this.#armed.push(armed);
    return {
      get hits() {
        return armed.hits;
      },
      remove: () => {
        const index = this.#armed.indexOf(armed);
        if (index >= 0) this.#armed.splice(index, 1);
      },
    };
  }

  clear(): void {
    this.#armed.length = 0;
    this.decide = undefined;
  }

  /** The fault for a request, used up by one. The first that matches wins. */
  take(request: CdnRequest): CdnFaultKind | undefined {
    for (const armed of this.#armed) {
      if (armed.left <= 0 || armed.fault.match?.(request) === false) continue;
      if (armed.skip > 0) {
        armed.skip -= 1;
        continue;
      }
      armed.left -= 1;
      armed.hits += 1;
      return armed.fault;
    }
    return this.decide?.(request);
  }
}
