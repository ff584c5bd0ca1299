import { ACCOUNT } from "./table/account.ts";
import { ANSWERS } from "./table/answers.ts";
import { CHECKS } from "./table/checks.ts";
import { CONFIGURING } from "./table/configuring.ts";
import { FILES } from "./table/files.ts";
import { RUN } from "./table/run.ts";
import { SELECTION } from "./table/selection.ts";
import { SERVICE } from "./table/service.ts";
import { TRANSFER } from "./table/transfer.ts";
import type { Setting, ValueOf } from "./types.ts";

/**
 * Every setting of kei. Flags, environment variables, TOML keys, validation and help are derived from this table and
 * exist nowhere else.
 */
export const SETTINGS = {
  ...ACCOUNT,
  ...SELECTION,
  ...FILES,
  ...TRANSFER,
  ...RUN,
  ...SERVICE,
  ...CHECKS,
  ...ANSWERS,
  ...CONFIGURING,
};

export type SettingName = keyof typeof SETTINGS;

/** The parts of the table, as pages for people show them. */
export const PARTS: ReadonlyArray<{ readonly title: string; readonly names: readonly string[] }> = [
  { title: "Account and folders", names: Object.keys(ACCOUNT) },
  { title: "Which photos", names: Object.keys(SELECTION) },
  { title: "Files and names", names: Object.keys(FILES) },
  { title: "Transfers", names: Object.keys(TRANSFER) },
  { title: "The run", names: Object.keys(RUN) },
  { title: "Beside other programs", names: Object.keys(SERVICE) },
  { title: "Looking after the backup", names: Object.keys(CHECKS) },
  { title: "Question and answer", names: [...Object.keys(ANSWERS), ...Object.keys(CONFIGURING)] },
];

type Table = typeof SETTINGS;
/** Resolved values: a setting without a default may be undefined. */
export type Settings = {
  readonly [N in SettingName]: Table[N] extends { default: unknown }
    ? ValueOf<Table[N]["type"]>
    : ValueOf<Table[N]["type"]> | undefined;
};

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** The setting's row as a plain `Setting`. */
export function settingOf(name: SettingName): Setting {
  return SETTINGS[name];
}
