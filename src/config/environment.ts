import { EXIT, Failure } from "../library/failure.ts";
import { nearest } from "../library/nearest.ts";
import type { Environment } from "./paths.ts";
import { SETTING_NAMES, settingOf } from "./settings.ts";

/** Variables of kei that are no settings. */
const OTHERS = ["KEI_CONFIG", "KEI_NO_AUTO_CONFIG"];

/** Variables of the container's start script, and of the tests of kei. */
const ALLOWED: readonly RegExp[] = [
  /^KEI_(CHOWN_PHOTOS|HEALTHCHECK_PORT|RECORDINGS)$/,
  /^KEI_TEST_/,
  // Kubernetes tells every container where a service of the name "kei" is.
  /^KEI_SERVICE_(HOST|PORT(_.+)?)$/,
  /^KEI_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/,
];

/** What variables of earlier times and of other programs are called here. */
const OLD: Readonly<Record<string, string>> = {
  KEI_DIRECTORY: "KEI_DOWNLOAD_DIR",
  KEI_THREADS_NUM: "KEI_THREADS",
  KEI_EXCLUDE_ALBUM: "KEI_ALBUM",
  KEI_SKIP_LIVE_PHOTOS: "KEI_LIVE_PHOTO_MODE",
  KEI_METRICS_PORT: "KEI_HTTP_PORT",
  KEI_COOKIE_DIRECTORY: "KEI_DATA_DIR",
  KEI_USERNAME: "ICLOUD_USERNAME",
  KEI_PASSWORD: "ICLOUD_PASSWORD",
};

/** Whether a variable that begins with `KEI_` means something to kei, or to someone else who may set it. */
export function isKnownVariable(name: string): boolean {
  return settingVariables().includes(name) || OTHERS.includes(name) || ALLOWED.some((form) => form.test(name));
}

/**
 * A misspelt variable would do nothing, and nobody would notice. Throws `Failure` (exit 1) that names the nearest one.
 * Empty ones count as unset. Values are not repeated.
 */
export function refuseUnknownVariables(env: Environment): void {
  const unknown = Object.keys(env).find(
    (name) => name.startsWith("KEI_") && env[name] !== "" && !isKnownVariable(name),
  );
  if (unknown === undefined) return;
  const old = Object.hasOwn(OLD, unknown) ? OLD[unknown] : undefined;
  const near = old ?? nearest(unknown, [...settingVariables(), ...OTHERS]);
  throw new Failure(`The environment variable ${unknown} is none that kei knows`, {
    exit: EXIT.failure,
    remedy: near === undefined ? "Unset it; `docs/configuration.md` names all." : `Did you mean ${near}?`,
  });
}

function settingVariables(): readonly string[] {
  return SETTING_NAMES.flatMap((name) => settingOf(name).env ?? []);
}
