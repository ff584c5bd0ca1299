import process from "node:process";
import { childEnvironment } from "../config/secrets.ts";
import { Systemd, wishesOf } from "../notify/systemd.ts";
import { openDatagramSender } from "../runtime/datagram.ts";
import type { RunEnd } from "../sync/types.ts";
import { ProgressLine } from "../ui/progress.ts";
import { stageText } from "../ui/service-status.ts";
import type { Attendant } from "./attendants.ts";
import type { CommandContext } from "./context.ts";

/** How often the figures of a run are told, ms. */
const FIGURES_EVERY_MS = 5_000;
const STATUS_COLUMNS = 200;

/** Tells systemd how kei is, where it listens and nobody has turned that off (`--notify-systemd`). */
export async function systemd({ env, settings, clock, log, stop }: CommandContext): Promise<Attendant> {
  const { socket, beatMs } = wishesOf(env, process.pid);
  if (socket === undefined || settings.notifySystemd === false) return {};
  const sender = await openDatagramSender(socket, childEnvironment(env));
  if (sender === undefined) {
    log.debug("there is no way to tell systemd how kei is", { socket });
    return {};
  }
  const send = (message: string): boolean => {
    const taken = sender.send(log.mask(message));
    if (!taken) log.debug("systemd has not taken a message", { message });
    return taken;
  };
  const service = new Systemd({ send, clock, beatMs }, "Signing in");
  const stopping = () => service.stopping();
  if (stop.aborted) stopping();
  stop.addEventListener("abort", stopping, { once: true });

  const line = new ProgressLine();
  let isRunning = false;
  let told = Number.NEGATIVE_INFINITY;
  let last: RunEnd | undefined;
  return {
    onStage: (stage) => {
      isRunning = stage.kind === "running";
      told = clock.monotonic();
      if (stage.kind === "ready") service.ready();
      else service.status(stageText(stage, last));
    },
    onProgress: (progress) => {
      const now = clock.monotonic();
      if (!isRunning || now - told < FIGURES_EVERY_MS) return;
      told = now;
      service.status(`Syncing: ${line.render(progress, now, STATUS_COLUMNS)}`);
    },
    onEnd: async (end) => {
      isRunning = false;
      last = end;
    },
    close: async () => {
      stop.removeEventListener("abort", stopping);
      await service.close();
      await sender.close();
    },
  };
}
