/** One transfer: what it is given and how it can end. Rules: engine.md 2 and 3. */
import type { AppleChecksum } from "../library/asset.ts";

export interface TransferTask {
  /** Signed URL as Apple sent it, `${f}` and all. */
  readonly url: string;
  readonly checksum: AppleChecksum;
  /** Exact size in bytes as Apple states it. */
  readonly size: number;
  /** Absolute path of the temporary file, in the folder of `finalPath`. */
  readonly tempPath: string;
  /** Absolute final path. Nothing may be there; nothing there is ever replaced. */
  readonly finalPath: string;
  /** Modification time of the published file, ms since the epoch. */
  readonly modifiedAt: number;
  /** For people: shown in progress and errors. */
  readonly label: string;
}

/** The kinds of engine.md 2.4; classification reads this, never a message. */
export type TransferErrorKind =
  | "rate-limited"
  | "server"
  | "session"
  | "permanent"
  | "url-expired"
  | "suspended"
  | "network"
  | "stall"
  | "tls"
  | "short-body"
  | "long-body"
  | "bad-body"
  | "protocol"
  | "checksum"
  | "bad-range"
  | "forbidden-url"
  | "disk-full"
  | "permission"
  | "local-io"
  | "bad-path"
  | "fd-pressure"
  | "foreign-temp"
  | "collision"
  | "interrupted"
  | "unknown";

export interface Published {
  readonly outcome: "published";
  /** Body bytes received over the network, all tries together. */
  readonly bytesReceived: number;
  /** `provider`: Apple's checksum proves every byte. `size`: it could not be computed; size and content agree. */
  readonly proof: "provider" | "size";
  /** Requests sent. */
  readonly tries: number;
  /** Content sniffing disagreed with the extension (kept all the same). */
  readonly warning: string | undefined;
}

export interface TransferFailed {
  readonly outcome: "failed";
  readonly kind: TransferErrorKind;
  /** One line for people, without the URL. */
  readonly message: string;
  readonly bytesReceived: number;
  readonly tries: number;
  /** HTTP status when one is the reason. */
  readonly status: number | undefined;
  /** Clock.now() before which the host wants to be left alone, when it asked for more than one wait may last. */
  readonly notBefore: number | undefined;
}

export type TransferResult = Published | TransferFailed;
