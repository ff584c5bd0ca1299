/** argv in, exit code out. */
import process from "node:process";
import { main } from "./cli/main.ts";
import { takeEnvironment } from "./config/secrets.ts";
import { systemClock } from "./runtime/clock.ts";
import { onCrash, onStopSignals, systemTerminal } from "./runtime/process.ts";

// First of all, so that no child process ever inherits the password.
const env = takeEnvironment(process.env);

process.exitCode = await main(process.argv.slice(2), {
  env,
  cwd: process.cwd(),
  terminal: systemTerminal(),
  clock: systemClock,
  random: Math.random,
  onStopSignals,
  onCrash,
  exitNow: (code) => process.exit(code),
  loadSync: () => import("./sync/index.ts"),
});
