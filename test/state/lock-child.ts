/** Child process: takes the lock at argv[2] and says so; keeps it until a line arrives, or until it is killed. */
import { Failure } from "../../src/library/failure.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { acquireLock } from "../../src/state/index.ts";

try {
  const lock = await acquireLock(process.argv[2] ?? "", {
    retries: 0,
    clock: systemClock,
    signal: new AbortController().signal,
  });
  process.stdout.write("locked\n");
  for await (const _line of process.stdin) break;
  lock.release();
  process.stdout.write("released\n");
  process.exit(0);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exit(error.exit);
}
