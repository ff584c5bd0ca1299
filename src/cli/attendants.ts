import type { Progress, RunEnd, Stage } from "../sync/types.ts";

/** Someone who follows the runs of a sync: the person at the terminal, a report, a service manager, a monitor, a script. */
export interface Attendant {
  /** Must not throw. */
  readonly onStage?: (stage: Stage) => void;
  /** Told a few times a second; must not throw. */
  readonly onProgress?: (progress: Progress) => void;
  /** Told at the end of every run; trouble of its own is logged, not thrown. */
  readonly onEnd?: (end: RunEnd) => Promise<void>;
  /** The last run is over. Called once, on every way out. */
  readonly close?: () => Promise<void>;
}

/** Several attendants as one. The end of a run and the close reach them one after the other, in this order. */
export function together(attendants: readonly Attendant[]): Required<Attendant> {
  return {
    onStage: (stage) => {
      for (const one of attendants) one.onStage?.(stage);
    },
    onProgress: (progress) => {
      for (const one of attendants) one.onProgress?.(progress);
    },
    onEnd: async (end) => {
      for (const one of attendants) await one.onEnd?.(end);
    },
    close: async () => {
      // Whatever happens to one, none of the others may be left open.
      let failure: { readonly error: unknown } | undefined;
      for (const one of attendants) {
        try {
          await one.close?.();
        } catch (error) {
          failure ??= { error };
        }
      }
      if (failure !== undefined) throw failure.error;
    },
  };
}
