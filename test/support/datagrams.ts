/** A unix datagram socket that listens, as systemd's does; libc is called for it, there is no other way in Bun. */
import { dlopen } from "bun:ffi";
import { join } from "node:path";
import { unixAddress } from "../../src/runtime/datagram.ts";
import { until } from "./kei.ts";

export interface Datagram {
  readonly text: string;
  /** When it was taken in, ms of the monotonic clock. */
  readonly at: number;
}

export interface DatagramListener {
  /** All that have come so far. */
  received(): readonly Datagram[];
  close(): void;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
/** Looks this often, so that the moments are about right, ms. */
const LOOK_MS = 2;

/** Listens at a path, or at `@name` in the abstract namespace. With `deaf`, takes nothing in until its queue is full. */
export function listenForDatagrams(address: string, { deaf = false } = {}): DatagramListener {
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
    recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  });
  const target = unixAddress(address);
  if (target === undefined) throw new Error(`no address of a unix socket: ${address}`);
  const socket = symbols.socket(AF_UNIX, SOCK_DGRAM, 0);
  if (symbols.bind(socket, target, target.length) !== 0) throw new Error(`cannot listen at ${address}`);
  const received: Datagram[] = [];
  const buffer = new Uint8Array(4096);
  const take = (): void => {
    for (;;) {
      const length = Number(symbols.recv(socket, buffer, buffer.length, MSG_DONTWAIT));
      if (length < 0) return;
      received.push({ text: new TextDecoder().decode(buffer.subarray(0, length)), at: performance.now() });
    }
  };
  const timer = deaf ? undefined : setInterval(take, LOOK_MS);
  return {
    received: () => {
      if (!deaf) take();
      return received;
    },
    close: () => {
      clearInterval(timer);
      symbols.close(socket);
    },
  };
}

/** Plays systemd for one test: listens, and tells what was said. */
export class Ear {
  readonly address: string;
  readonly #listener: DatagramListener;

  /** In the file system below `folder`, or, without one, in the abstract namespace. */
  constructor(folder: string | undefined, options: { readonly deaf?: boolean } = {}) {
    this.address = folder === undefined ? `@kei-test-${crypto.randomUUID()}` : join(folder, "notify.sock");
    this.#listener = listenForDatagrams(this.address, options);
  }

  get heard(): readonly string[] {
    return this.received.map(({ text }) => text);
  }

  get received(): readonly Datagram[] {
    return this.#listener.received();
  }

  count(message: string): number {
    return this.heard.filter((one) => one.startsWith(message)).length;
  }

  /** Waits for a message that begins so. */
  until(message: string): Promise<void> {
    return until(message, () => this.count(message) > 0);
  }

  close(): void {
    this.#listener.close();
  }
}
