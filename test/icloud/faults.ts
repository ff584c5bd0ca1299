/** Faults in front of every host: what a test can make go wrong with a request before or after it is answered. */
import type { LoggedRequest } from "./contract.ts";

export interface Fault {
  /** Operation name, pattern over it, or any test of the request. */
  readonly match: string | RegExp | ((request: LoggedRequest) => boolean);
  /** Hits after which it is over. Default 1; Infinity for ever. */
  readonly times?: number;
  /** Hits that pass unharmed first. */
  readonly after?: number;
  /** Harms only this share of the hits, by a seeded draw. */
  readonly rate?: { readonly probability: number; readonly seed: number };
  /** Answers in place of the double. */
  readonly respond?: (request: LoggedRequest) => Response | Promise<Response>;
  /** Changes the double's own answer. */
  readonly transform?: (response: Response, request: LoggedRequest) => Response | Promise<Response>;
  /** Breaks the connection, or never answers until it is gone. */
  readonly cut?: "reset" | "hang";
}

export interface ActiveFault {
  /** Requests harmed so far. */
  readonly hits: number;
  remove(): void;
}

export interface HeldRequests {
  /** Requests that came so far. */
  readonly reached: number;
  /** Answers all of them, and holds none any more. */
  release(): void;
}

interface Running {
  readonly fault: Fault;
  left: number;
  passed: number;
  hits: number;
  readonly draw: () => number;
}

export class FaultBoard {
  readonly #running = new Set<Running>();

  inject(fault: Fault): ActiveFault {
    const running: Running = { fault, left: fault.times ?? 1, passed: 0, hits: 0, draw: drawer(fault.rate?.seed ?? 1) };
    this.#running.add(running);
    return {
      get hits() {
        return running.hits;
      },
      remove: () => {
        this.#running.delete(running);
      },
    };
  }

  /** Keeps requests waiting for their answer until they are released. */
  hold(match: Fault["match"], times = Number.POSITIVE_INFINITY): HeldRequests {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const fault = this.inject({
      match,
      times,
      transform: async (response) => {
        await opened;
        return response;
      },
    });
    return {
      get reached() {
        return fault.hits;
      },
      release: () => {
        fault.remove();
        open();
      },
    };
  }

  clear(): void {
    this.#running.clear();
  }

  /** The fault that this request meets, if any; counts the hit. */
  next(request: LoggedRequest): Fault | undefined {
    for (const running of this.#running) {
      const { fault } = running;
      if (!matches(fault.match, request)) continue;
      if (running.passed < (fault.after ?? 0)) {
        running.passed += 1;
        continue;
      }
      if (fault.rate !== undefined && running.draw() >= fault.rate.probability) continue;
      running.hits += 1;
      running.left -= 1;
      if (running.left <= 0) this.#running.delete(running);
      return fault;
    }
    return undefined;
  }
}

function matches(match: Fault["match"], request: LoggedRequest): boolean {
  if (typeof match === "string") return request.operation === match;
  return match instanceof RegExp ? match.test(request.operation) : match(request);
}

/** A small seeded generator, so that a failing run can be repeated. */
function drawer(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4_294_967_296;
  };
}

/** Answers for `respond`. */
export const answers = {
  status:
    (status: number, headers: Record<string, string> = {}) =>
    () =>
      new Response(`status ${status}`, { status, headers }),
  /** CloudKit's error inside an HTTP 200. */
  code:
    (serverErrorCode: string, reason = "made to fail") =>
    () =>
      Response.json({ uuid: crypto.randomUUID(), serverErrorCode, reason }),
  html:
    (status = 200) =>
    () =>
      new Response("<html><body>Service Unavailable</body></html>", {
        status,
        headers: { "content-type": "text/html" },
      }),
  truncatedJson: () => () =>
    new Response('{"records":[{"recordName":"AB', { headers: { "content-type": "application/json" } }),
};
