/** What a value of a setting looks like, wherever it is written. */
export type SettingType =
  | { readonly kind: "boolean" }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  /** One of `values`; an alias stands for one of them. */
  | {
      readonly kind: "choice";
      readonly values: readonly string[];
      readonly aliases?: Readonly<Record<string, string>>;
    }
  | { readonly kind: "text" }
  /** A file, or with `folder` a folder; a leading `~/` is the home folder. */
  | { readonly kind: "path"; readonly folder?: true }
  /** Bytes per second: a number, or a text with a unit. */
  | { readonly kind: "rate" }
  /** A number of photos, or of days (`30d`); kept as written. */
  | { readonly kind: "recent" }
  /**
   * Values in order; a flag may be repeated, an environment variable holds one. `split`: commas part values, too.
   * `single`: the file may hold one text instead of a list.
   */
  | { readonly kind: "list"; readonly split?: true; readonly single?: true };

/** Value of a setting of type `T`. */
export type ValueOf<T extends SettingType> = T extends { kind: "boolean" }
  ? boolean
  : T extends { kind: "integer" | "rate" }
    ? number
    : T extends { kind: "choice"; values: readonly (infer V)[] }
      ? V
      : T extends { kind: "list" }
        ? readonly string[]
        : string;

/** Flags that go together with the commands that take them (`cli/commands.ts`). */
export type FlagGroup =
  | "all"
  | "account"
  | "save-password"
  | "password-set"
  | "sms"
  | "folder"
  | "library"
  | "selection"
  | "sync"
  | "caution"
  | "status"
  | "verify"
  | "doctor"
  | "manifest"
  | "show"
  | "setup"
  | "json"
  | "confirm";

/** One setting: the single place from which its flag, its variable, its TOML key, its checks and its help come. */
export interface Setting {
  readonly type: SettingType;
  /** Long flag without dashes; absent for what only the file can say. */
  readonly flag?: string;
  /** One-letter flag. */
  readonly short?: string;
  readonly env?: string;
  /** Path in the configuration file; absent for what is said for one run only. */
  readonly key?: string;
  readonly default?: boolean | number | string | readonly string[];
  readonly help: string;
  /** Name of the value in help texts. */
  readonly hint?: string;
  /** What a text or a list usually holds, for completions; other values are possible. */
  readonly words?: readonly string[];
  /** The flag says the opposite: `--no-progress-bar` for `progress_bar`. */
  readonly inverted?: true;
  /** Group of the flag: each command names the groups that it takes; `all` goes with every command, also in front of it. */
  readonly on: FlagGroup;
  /** A second look at a value of the right type; returns what is wrong, for people. */
  readonly check?: (value: never) => string | undefined;
  /** A further look at what stands behind the flag. */
  readonly flagCheck?: (value: never) => string | undefined;
  /** A further look at what stands in the file. */
  readonly keyCheck?: (value: never) => string | undefined;
  /** An empty text means something. */
  readonly mayBeEmpty?: true;
  /** The value must not be shown. */
  readonly secret?: true;
  /** What is no secret itself, but may hold one: not shown where settings are. */
  readonly hidden?: true;
}
