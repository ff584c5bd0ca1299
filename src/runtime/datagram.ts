/**
 * Datagrams to a unix socket, for which neither Bun nor Deno has a function of its own: libc is called, or, where that
 * can't be done, the program `systemd-notify`. Only on Linux.
 */
import { execFile } from "node:child_process";
import process from "node:process";

/** Sends short messages to one unix socket. Never blocks and never throws. */
export interface DatagramSender {
  /** False when the message was not taken: nobody listens, or the listener is behind. */
  send(message: string): boolean;
  /** Resolves when all that was taken has left this process. */
  close(): Promise<void>;
}

/** The calls of libc that are needed; -1 stands for an error. */
interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  sendto(socket: number, message: Uint8Array, flags: number, address: Uint8Array): number;
  close(socket: number): number;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2_000_000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** Bytes of a path in `struct sockaddr_un`, the closing NUL included. */
const PATH_BYTES = 108;

/**
 * The address of a unix socket as the kernel reads it (unix(7)): an absolute path, or `@name` for a name in the abstract
 * namespace. Undefined for anything else, and for what is too long.
 */
export function unixAddress(address: string): Uint8Array | undefined {
  const isAbstract = address.startsWith("@");
  if ((!isAbstract && !address.startsWith("/")) || address.length < 2 || address.includes("\0")) return undefined;
  const name = new TextEncoder().encode(isAbstract ? `\0${address.slice(1)}` : `${address}\0`);
  if (name.length > PATH_BYTES) return undefined;
  const bytes = new Uint8Array(2 + name.length);
  new Uint16Array(bytes.buffer, 0, 1)[0] = AF_UNIX;
  bytes.set(name, 2);
  return bytes;
}

/**
 * A sender to the socket that `address` names. Undefined where there is no way: another system, an address that is
 * none, neither libc nor `systemd-notify`. `env` is that of the program, if it has to be used.
 */
export async function openDatagramSender(
  address: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<DatagramSender | undefined> {
  const target = process.platform === "linux" ? unixAddress(address) : undefined;
  if (target === undefined) return undefined;
  const libc = await loadLibc();
  const socket = libc?.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) ?? -1;
  if (libc === undefined || socket < 0) return notifyProgram(address, env);
  let open = true;
  return {
    send: (message) => {
      if (!open) return false;
      const bytes = new TextEncoder().encode(message);
      return libc.sendto(socket, bytes, MSG_DONTWAIT | MSG_NOSIGNAL, target) === bytes.length;
    },
    close: async () => {
      if (open) libc.close(socket);
      open = false;
    },
  };
}

/** Names of the C library: glibc, then musl. */
const LIBC_NAMES = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
  `/lib/ld-musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
];

async function loadLibc(): Promise<Libc | undefined> {
  const load = process.versions["bun"] === undefined ? denoLibc : await bunLibc();
  for (const name of LIBC_NAMES) {
    try {
      return load(name);
    } catch {
      // Not the C library of this system, or not allowed: the next name, or the program, may do.
    }
  }
  return undefined;
}

async function bunLibc(): Promise<(name: string) => Libc> {
  const { dlopen } = await import("bun:ffi");
  return (name) => {
    const { symbols } = dlopen(name, {
      socket: { args: ["i32", "i32", "i32"], returns: "i32" },
      sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
      close: { args: ["i32"], returns: "i32" },
    });
    return {
      socket: symbols.socket,
      sendto: (socket, message, flags, address) =>
        Number(symbols.sendto(socket, message, message.length, flags, address, address.length)),
      close: symbols.close,
    };
  };
}

/** What is used of Deno's way to call C. */
interface DenoFfi {
  dlopen(
    name: string,
    symbols: Record<string, { parameters: string[]; result: string }>,
  ): { symbols: Record<string, (...args: unknown[]) => number | bigint> };
  permissions: { querySync(descriptor: { name: "ffi" }): { state: string } };
}

function denoLibc(name: string): Libc {
  const { Deno: deno } = globalThis as { readonly Deno?: DenoFfi };
  // Without the permission Deno would ask a person for it.
  if (deno?.permissions.querySync({ name: "ffi" }).state !== "granted") throw new Error("calling C is not allowed");
  const { symbols } = deno.dlopen(name, {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const call = (symbol: string, ...args: unknown[]): number => Number(symbols[symbol]?.(...args) ?? -1);
  return {
    socket: (...args) => call("socket", ...args),
    sendto: (socket, message, flags, address) =>
      call("sendto", socket, message, BigInt(message.length), flags, address, address.length),
    close: (socket) => call("close", socket),
  };
}

/** Messages that may wait for the program; more would only mean that nobody takes them. */
const QUEUE = 16;
/** Time for one call of the program, ms. */
const PROGRAM_MS = 5_000;

/** The program that comes with systemd: one call per message, one after the other. */
function notifyProgram(address: string, env: Readonly<Record<string, string | undefined>>): DatagramSender {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  const call = (message: string): Promise<void> =>
    new Promise((resolve) => {
      const options = { env: { ...env, NOTIFY_SOCKET: address }, timeout: PROGRAM_MS };
      // That it is missing or fails changes nothing for kei: there is no other way left.
      execFile("systemd-notify", message.split("\n"), options, () => resolve());
    });
  return {
    send: (message) => {
      if (waiting >= QUEUE) return false;
      waiting += 1;
      last = last
        .then(() => call(message))
        .finally(() => {
          waiting -= 1;
        });
      return true;
    },
    close: () => last,
  };
}
