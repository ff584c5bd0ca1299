/** argv in, exit code out. */
import process from "node:process";
import { main } from "./cli/main.ts";
import { takeEnvironment } from "./config/secrets.ts";
import { systemClock } from "./runtime/clock.ts";
import { type Keyring, systemKeyring } from "./runtime/keyring.ts";
import { onCrash, onStopSignals, systemTerminal } from "./runtime/process.ts";

// First of all, so that no child process ever inherits the password.
const env = takeEnvironment(process.env);

let keyring: Keyring | undefined;
const code = await main(process.argv.slice(2), {
  env,
  cwd: process.cwd(),
  terminal: systemTerminal(),
  clock: systemClock,
  random: Math.random,
  onStopSignals,
  onCrash,
  exitNow: (code) => process.exit(code),
  loadSync: () => import("./sync/index.ts"),
  keyring: () => {
    keyring ??= systemKeyring(env, systemClock);
    return keyring;
  },
});
process.exitCode = code;
// Nobody answers at the keyring: the call would hold the process for ever.
if (keyring?.isStuck === true) process.exit(code);
