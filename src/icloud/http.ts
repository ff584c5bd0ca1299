/**
 * The seam between Apple's two API families (sign-in and CloudKit) and the network. One implementation
 * (`icloud/client.ts`) owns the cookie jar, the standard headers and the timeouts; everything above sees data.
 */

export interface AppleRequest {
  readonly method: "GET" | "POST" | "PUT";
  /** Absolute https URL on one of Apple's hosts. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Total time for headers and body, ms. Default 30 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Ask for a connection of its own, not one from the pool (what a 421 wants). */
  readonly freshConnection?: boolean;
}

export interface AppleResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON, or undefined when it is not JSON, whatever Content-Type says. */
  readonly json: unknown;
}

/**
 * Sends one request: adds the common headers (auth.md 1.4) and the jar's cookies, follows redirects while storing the
 * cookies of every hop, and reads the whole answer. Never throws for a status; throws `AppleNetworkError` when no
 * answer came, and the signal's reason when aborted.
 */
export interface AppleHttp {
  request(request: AppleRequest): Promise<AppleResponse>;
}

/** No usable answer: the host could not be reached, or the connection broke, or time ran out. */
export class AppleNetworkError extends Error {
  override readonly name = "AppleNetworkError";
  constructor(
    readonly host: string,
    readonly kind: "dns" | "connect" | "reset" | "timeout" | "tls" | "tls-invalid" | "other",
    options?: ErrorOptions,
  ) {
    super(`cannot reach ${host} (${kind})`, options);
  }
}
