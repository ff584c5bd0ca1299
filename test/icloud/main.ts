/**
 * The double as a command: `bun test/icloud/main.ts [--port N] [--seed N] [--assets N] [--bytes N] [--user X] ...`.
 * Prints one line of JSON when it is ready, and ends on SIGTERM or when its standard input closes.
 */
import { parseArgs } from "node:util";
import { createLibrary, expectedFiles, mixedSampleLibrary, startDouble } from "./index.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    /** So many generated photos in place of the mixed sample. */
    assets: { type: "string" },
    bytes: { type: "string" },
    user: { type: "string", default: "alex.test@example.com" },
    password: { type: "string", default: "Correct-Horse-42" },
    code: { type: "string", default: "123456" },
    domain: { type: "string", default: "com" },
    "tls-key": { type: "string" },
    "tls-cert": { type: "string" },
    /** Show a code as soon as the password was right. */
    "push-on-complete": { type: "boolean", default: false },
    /** Compact JSON: faster, for measuring. */
    compact: { type: "boolean", default: false },
    "odd-names": { type: "boolean", default: false },
    latency: { type: "string", default: "0" },
  },
});

const seed = Number(values.seed);
const library =
  values.assets === undefined
    ? mixedSampleLibrary(seed, { oddNames: values["odd-names"] })
    : createLibrary({
        seed,
        assets: Number(values.assets),
        ...(values.bytes === undefined ? {} : { bytes: Number(values.bytes), mix: { jpeg: 1 } }),
      });
const key = values["tls-key"];
const cert = values["tls-cert"];
const double = await startDouble({
  port: Number(values.port),
  ...(key === undefined || cert === undefined ? {} : { tls: { key, cert } }),
  domain: values.domain === "cn" ? "cn" : "com",
  username: values.user,
  password: values.password,
  code: values.code,
  account: { pushOnComplete: values["push-on-complete"], signInLimit: 1_000 },
  library,
  photos: { pretty: !values.compact, latency: Number(values.latency) },
});
process.stdout.write(
  `${JSON.stringify({
    url: double.url,
    port: double.port,
    env: double.env,
    username: values.user,
    password: values.password,
    code: values.code,
    files: expectedFiles(library)
      .map(({ checksum, size, filename }) => ({ checksum, size, filename }))
      .slice(0, 1_000),
  })}\n`,
);
const end = async () => {
  await double.stop();
  process.exit(0);
};
// Counters of all operations so far, as one line of JSON.
process.on("SIGUSR2", () => process.stdout.write(`${JSON.stringify(double.log.counts())}\n`));
process.on("SIGTERM", end);
process.on("SIGINT", end);
process.stdin.on("end", end);
process.stdin.resume();
