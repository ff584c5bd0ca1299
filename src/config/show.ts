/** The settings as they will be used, and where each of them comes from. */
import { mediaOf, renditionsOf, threadsOf } from "./derive.ts";
import { whereSet } from "./origin.ts";
import type { Origin, Resolved } from "./resolve.ts";
import { SETTING_NAMES, type SettingName, settingOf } from "./settings.ts";
import { renderToml, type TomlLine } from "./toml.ts";
import type { Value } from "./values.ts";

/** One setting as it will be used. */
export interface ShownSetting {
  readonly name: SettingName;
  /** Undefined when it is not set, and for secrets. */
  readonly value: Value | undefined;
  readonly origin: Origin;
  /** Line of the file, where it comes from there. */
  readonly line: number | undefined;
  /** Origin for people: `default`, `flag --threads`, `env KEI_THREADS`, `file, line 4`. */
  readonly where: string;
  /** There is a value, which must not be shown. */
  readonly secret: boolean;
  /** Why it does not belong into a file that says the same, for people. */
  readonly notInFile: string | undefined;
}

/** Values of the default that is not a constant of the table. */
export interface Computed {
  /** Folder of kei's own files when no one has named another. */
  readonly dataDir: string;
}

/**
 * Every setting that lasts, in the order of the table. What several of them say together is worked out first: `threads`
 * beside a bandwidth limit, `media` without the kinds that a flag leaves out, `--size` as the keys of the file say it.
 */
export function shownSettings(resolved: Resolved, computed: Computed): readonly ShownSetting[] {
  const used = usedValues(resolved, computed);
  return SETTING_NAMES.filter((name) => lasts(name)).map((name) => {
    const { from = name, value, notInFile } = used[name] ?? { value: resolved.settings[name] };
    const hidden = settingOf(name).secret === true || settingOf(name).hidden === true;
    return {
      name,
      value: hidden ? undefined : value,
      origin: resolved.origins[from],
      line: resolved.origins[from] === "file" ? resolved.lines[from] : undefined,
      where: whereFrom(resolved, from),
      secret: hidden && value !== undefined,
      notInFile,
    };
  });
}

function whereFrom(resolved: Resolved, name: SettingName): string {
  const origin = resolved.origins[name];
  if (origin === "file") return `file, line ${resolved.lines[name]}`;
  const place = whereSet(resolved, name);
  return place === undefined ? "default" : `${origin} ${place}`;
}

/** A switch of one run is nothing to remember. */
function lasts(name: SettingName): boolean {
  const { key, env } = settingOf(name);
  return key !== undefined || env !== undefined;
}

const UNSAYABLE = "the file can't say this";

interface Used {
  readonly value: Value | undefined;
  /** The setting that has decided it, when another one has. */
  readonly from?: SettingName | undefined;
  readonly notInFile?: string | undefined;
}

function usedValues(resolved: Resolved, { dataDir }: Computed): Partial<Record<SettingName, Used>> {
  const { settings, origins } = resolved;
  const renditions = renditionsOf(resolved);
  const inFile = settings.sizes.filter((size) => size !== "adjusted" && size !== "alternative");
  const kinds = mediaOf(settings).map((kind) => (kind === "live-photo" ? "live-photos" : `${kind}s`));
  const skipping = (["skipPhotos", "skipVideos"] as const).find((name) => settings[name]);
  const bySize = (asked: boolean, added: boolean): Used =>
    asked || !added ? { value: asked } : { value: true, from: "sizes" };
  return {
    dataDir: { value: settings.dataDir ?? dataDir },
    // Without the command, which is not shown, the file would be what counts.
    passwordFile: {
      value: settings.passwordFile,
      notInFile: isRivalUsed(resolved) ? "the password command counts" : undefined,
    },
    media: { value: kinds, from: skipping, notInFile: kinds.length === 0 ? UNSAYABLE : undefined },
    // Alone, a version takes the place of the original, which the file can't ask for.
    sizes: inFile.length > 0 ? { value: inFile } : { value: settings.sizes, notInFile: UNSAYABLE },
    edited: bySize(settings.edited, renditions.edited),
    alternative: bySize(settings.alternative, renditions.alternative),
    liveResolution: {
      value: renditions.liveResolution,
      ...(renditions.liveResolution === settings.liveResolution ? {} : { from: "sizes" }),
    },
    threads: { value: threadsOf(resolved), ...(origins.threads === "default" ? { from: "bandwidthLimit" } : {}) },
  };
}

/** What stands in every file that is shown, defaults or not (cli.md 5.7). */
const ALWAYS: readonly SettingName[] = [
  "username",
  "directory",
  "folderStructure",
  "threads",
  "perTransfer",
  "dataDir",
  "httpPort",
];

/** A password command is asked, although there is a password file. */
function isRivalUsed({ settings, origins }: Resolved): boolean {
  return settings.passwordCommand !== undefined && origins.passwordFile !== "flag";
}

/**
 * The settings as a configuration file that means the same. A default is not set in it: that albums, say, were named by
 * nobody means something, too. With `remarks`, each line tells where its value comes from, and defaults and what is not
 * set stand there as remarks.
 */
export function settingsToml(settings: readonly ShownSetting[], { remarks }: { readonly remarks: boolean }): string {
  const lines = settings.flatMap((shown): TomlLine[] => {
    const { key } = settingOf(shown.name);
    if (key === undefined || shown.notInFile !== undefined || shown.value === undefined)
      return remarks ? remarkOnly(shown, key) : [];
    const idle = shown.origin === "default" && !ALWAYS.includes(shown.name);
    if (idle && !remarks) return [];
    return [{ key, value: shown.value, idle, remark: remarks ? shown.where : undefined }];
  });
  return renderToml(lines);
}

function remarkOnly(shown: ShownSetting, key: string | undefined): TomlLine[] {
  const line = (at: string, remark: string): TomlLine[] => [{ key: at, value: undefined, remark }];
  if (shown.secret) return line(key ?? `auth.${shown.name}`, `set by ${shown.where}, not shown`);
  // What has no key is told where it has its effect.
  if (key === undefined) return [];
  if (shown.value === undefined) return line(key, "not set");
  return line(key, `${JSON.stringify(shown.value)}, by ${shown.where}; ${shown.notInFile}`);
}
