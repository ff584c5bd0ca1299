import { endpointsOf } from "../icloud/endpoints.ts";
import { appleFetch, type NetworkErrorKind, networkErrorKind } from "../runtime/network.ts";
import { ok, skipped, warning, wrong } from "./files.ts";
import type { Check, Patient } from "./types.ts";

/** Longest wait for one host, ms. */
const PATIENCE_MS = 5_000;
/** Differences of clocks from which photos may fail, and everything, ms. */
const CLOCK_WARNING_MS = 60_000;
const CLOCK_ERROR_MS = 10 * 60_000;
/** No clock that is right shows an earlier year. */
const EARLIEST_YEAR = 2025;

type Answer =
  | { readonly host: string; readonly offsetMs: number | undefined }
  | { readonly host: string; readonly failed: NetworkErrorKind };

/** Names, connections, certificates and the clock, judged by one question to each of Apple's hosts, without credentials. */
export async function network(patient: Patient): Promise<Check[]> {
  const { authRoot, setup } = endpointsOf(patient.domain);
  const answers = await Promise.all([authRoot, new URL(setup).origin].map((root) => ask(root, patient)));
  const failed = answers.filter((answer) => "failed" in answer);
  const hosts = answers.map(({ host }) => host).join(", ");
  const of = (...kinds: readonly NetworkErrorKind[]) =>
    failed.filter((answer) => kinds.includes(answer.failed)).map(({ host }) => host);
  const unknown = of("dns");
  const distrusted = of("tls", "tls-invalid");
  const silent = of("connect", "reset", "timeout", "other");
  const answered = answers.length - failed.length;
  return [
    unknown.length > 0
      ? wrong(
          "dns",
          `the names of Apple's hosts are not found: ${unknown.join(", ")}`,
          "Check the network and the name servers of this machine.",
        )
      : ok("dns", `found ${hosts}`),
    silent.length > 0
      ? wrong(
          "connection",
          `no answer from ${silent.join(", ")}`,
          "Check the network, and whether a firewall or proxy is in the way.",
        )
      : answered + distrusted.length > 0
        ? ok("connection", "Apple's hosts answer")
        : skipped("connection", "no host is found"),
    distrusted.length > 0
      ? wrong(
          "tls",
          `the certificates of ${distrusted.join(", ")} can't be trusted`,
          "Check this machine's clock, and whether something intercepts its connections.",
        )
      : answered > 0
        ? ok("tls", "Apple's certificates are good")
        : skipped("tls", "no host answers"),
    clock(patient, answers),
  ];
}

async function ask(root: string, { ports: { clock, stop } }: Patient): Promise<Answer> {
  const { host } = new URL(root);
  const before = clock.now();
  try {
    const answer = await appleFetch(`${root}/`, {
      method: "HEAD",
      signal: AbortSignal.any([stop, AbortSignal.timeout(PATIENCE_MS)]),
    });
    await answer.body?.cancel();
    const theirs = Date.parse(answer.headers.get("date") ?? "");
    // The date stands for the second that it names.
    const ours = (before + clock.now()) / 2;
    return { host, offsetMs: Number.isNaN(theirs) ? undefined : ours - (theirs + 500) };
  } catch (error) {
    stop.throwIfAborted();
    return { host, failed: networkErrorKind(error) };
  }
}

function clock({ ports }: Patient, answers: readonly Answer[]): Check {
  const name = "clock";
  const now = new Date(ports.clock.now());
  if (now.getUTCFullYear() < EARLIEST_YEAR)
    return wrong(name, `it is not ${now.toISOString().slice(0, 10)}`, SET_THE_CLOCK);
  const offsets = answers.flatMap((answer) =>
    "offsetMs" in answer && answer.offsetMs !== undefined ? [answer.offsetMs] : [],
  );
  const [offset] = offsets.toSorted((a, b) => Math.abs(a) - Math.abs(b));
  if (offset === undefined) return skipped(name, `could not be compared with Apple's; it says ${now.toISOString()}`);
  const seconds = Math.round(Math.abs(offset) / 1000);
  const message = `${seconds} s ${offset > 0 ? "ahead of" : "behind"} Apple's`;
  if (Math.abs(offset) >= CLOCK_ERROR_MS) return wrong(name, message, SET_THE_CLOCK);
  if (Math.abs(offset) >= CLOCK_WARNING_MS) return warning(name, message, SET_THE_CLOCK);
  return ok(name, seconds < 2 ? "the same as Apple's" : message);
}

const SET_THE_CLOCK =
  "Set this machine's clock, best by NTP: sign-ins and addresses of photos are good for a while only.";
