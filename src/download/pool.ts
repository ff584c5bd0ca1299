/** A fixed number of workers fed from a short queue. */
export interface Pool<Job> {
  /** Waits until there is room in the queue; false when the pool takes no more. */
  put(job: Job): Promise<boolean>;
  /** Resolves when no job is running or waiting; the pool goes on taking jobs. */
  whenIdle(): Promise<void>;
  /** Takes no more jobs and resolves when all have ended; rejects with the first error a job threw. */
  drain(): Promise<void>;
  /** Workers with nothing to do. */
  readonly idle: number;
  /** Jobs that wait for a worker. */
  readonly queued: number;
}

export interface PoolOptions<Job> {
  readonly threads: number;
  /** Jobs that may wait; more make `put` wait. */
  readonly queue: number;
  /** Does one job. A job that throws is a fault of this program or of the catalogue: the pool takes no more after it. */
  readonly run: (job: Job) => Promise<void>;
}

/** Exactly `threads` jobs at most run at any time, whoever puts them (engine.md PL-5). */
export function createPool<Job>({ threads, queue, run }: PoolOptions<Job>): Pool<Job> {
  const waiting: Job[] = [];
  const blocked: Array<() => void> = [];
  let running = 0;
  let closed = false;
  let failure: { readonly error: unknown } | undefined;
  let idleWaiters: Array<() => void> = [];

  const start = (job: Job): void => {
    running += 1;
    run(job)
      .catch((error: unknown) => {
        failure ??= { error };
        close();
      })
      .finally(() => {
        running -= 1;
        const next = waiting.shift();
        if (next !== undefined) start(next);
        blocked.shift()?.();
        if (running > 0) return;
        const waiters = idleWaiters;
        idleWaiters = [];
        for (const wake of waiters) wake();
      });
  };
  const close = (): void => {
    closed = true;
    for (const wake of blocked.splice(0)) wake();
  };

  const whenIdle = async (): Promise<void> => {
    if (running > 0) await new Promise<void>((wake) => idleWaiters.push(wake));
  };

  return {
    whenIdle,
    put: async (job) => {
      while (!closed && running >= threads && waiting.length >= queue) {
        await new Promise<void>((wake) => blocked.push(wake));
      }
      if (closed) return false;
      if (running < threads) start(job);
      else waiting.push(job);
      return true;
    },
    drain: async () => {
      close();
      await whenIdle();
      if (failure !== undefined) throw failure.error;
    },
    get idle() {
      return threads - running;
    },
    get queued() {
      return waiting.length;
    },
  };
}
