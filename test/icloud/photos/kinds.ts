/** What photos of each kind consist of: files on master and asset as recorded (cloudkit.md 10.3), sizes scaled down. */

import type { Rng } from "./random.ts";
import type { AssetSpec, ResourceSpec } from "./spec.ts";

export interface KindOptions {
  readonly rng: Rng;
  /** Size of the next original. */
  readonly bytes: () => number;
  /** Medium, thumb and video derivatives too; without them pages are small. */
  readonly derivatives: boolean;
}

type Files = NonNullable<AssetSpec["masterResources"]>;
type Maker = (options: KindOptions, serial: number) => AssetSpec;

const EXTENSIONS: Readonly<Record<string, string>> = {
  "public.jpeg": "JPG",
  "public.heic": "HEIC",
  "public.png": "PNG",
  "public.tiff": "TIFF",
  "com.compuserve.gif": "GIF",
  "org.webmproject.webp": "WEBP",
  "com.apple.quicktime-movie": "MOV",
  "public.mpeg-4": "MP4",
  "com.adobe.raw-image": "DNG",
  "com.canon.cr2-raw-image": "CR2",
};

/** `IMG_0042.HEIC`, wrapping after 9999 as cameras do: names are not unique. */
export const cameraName = (serial: number, uti: string): string =>
  `IMG_${String((serial % 9999) + 1).padStart(4, "0")}.${EXTENSIONS[uti] ?? "JPG"}`;

const derived = (options: KindOptions, uti: string, share: number, width: number, height: number): ResourceSpec => ({
  uti,
  content: Math.max(220, Math.round(options.bytes() * share)),
  width,
  height,
});

function stillDerivatives(options: KindOptions, medium = true): Files {
  if (!options.derivatives) return {};
  return {
    ...(medium ? { resJPEGMed: derived(options, "public.jpeg", 0.25, 1536, 2048) } : {}),
    resJPEGThumb: derived(options, "public.jpeg", 0.05, 360, 480),
  };
}

function motionDerivatives(options: KindOptions, uti: string): Files {
  if (!options.derivatives) return {};
  return { resVidMed: derived(options, uti, 0.5, 1280, 720), resVidSmall: derived(options, uti, 0.15, 640, 360) };
}

const still =
  (uti: string, medium = true): Maker =>
  (options, serial) => ({
    uti,
    filename: cameraName(serial, uti),
    content: options.bytes(),
    masterResources: stillDerivatives(options, medium),
  });

const live =
  (uti: string): Maker =>
  (options, serial) => ({
    ...still(uti)(options, serial),
    motion: { uti: "com.apple.quicktime-movie", content: options.bytes(), width: 1440, height: 1080 },
    masterResources: { ...stillDerivatives(options), ...motionDerivatives(options, "com.apple.quicktime-movie") },
    subtypeV2: 2,
  });

const video =
  (uti: string): Maker =>
  (options, serial) => ({
    uti,
    filename: cameraName(serial, uti),
    content: options.bytes(),
    width: 3840,
    height: 2160,
    durationMs: options.rng.int(1_000, 90_000),
    masterResources: { ...stillDerivatives(options), ...motionDerivatives(options, "public.mpeg-4") },
  });

const rawPair =
  (original: string, alternative: string): Maker =>
  (options, serial) => ({
    ...still(original)(options, serial),
    alternative: { uti: alternative, content: options.bytes() },
  });

/** An edited picture: full size, medium and thumb on the asset; the master stays as it was. */
const edited =
  (uti: string, full: string): Maker =>
  (options, serial) => ({
    ...still(uti)(options, serial),
    assetResources: { resJPEGFull: { uti: full, content: options.bytes() }, ...stillDerivatives(options) },
    adjustmentType: "com.apple.photo",
  });

const editedVideo: Maker = (options, serial) => ({
  ...video("com.apple.quicktime-movie")(options, serial),
  assetResources: {
    resVidFull: { uti: "com.apple.quicktime-movie", content: options.bytes() },
    ...motionDerivatives(options, "public.mpeg-4"),
  },
  adjustmentType: "com.apple.video",
});

const editedLive: Maker = (options, serial) => ({
  ...live("public.heic")(options, serial),
  assetResources: {
    resJPEGFull: { uti: "public.heic", content: options.bytes() },
    resVidFull: { uti: "com.apple.quicktime-movie", content: options.bytes() },
  },
  adjustmentType: "com.apple.photo",
});

const screenshot: Maker = (options, serial) => ({ ...still("public.png")(options, serial), subtypeV2: 3 });

const markedScreenshot: Maker = (options, serial) => ({
  ...screenshot(options, serial),
  assetResources: {
    resJPEGFull: { uti: "public.jpeg", content: options.bytes() },
    ...stillDerivatives(options, false),
  },
  adjustmentType: "ScreenshotServices",
});

export const KINDS = {
  jpeg: still("public.jpeg"),
  heic: still("public.heic"),
  png: still("public.png"),
  gif: still("com.compuserve.gif", false),
  tiff: still("public.tiff"),
  webp: still("org.webmproject.webp", false),
  dng: still("com.adobe.raw-image"),
  live_heic: live("public.heic"),
  live_jpeg: live("public.jpeg"),
  raw_alternative: rawPair("public.jpeg", "com.adobe.raw-image"),
  raw_original: rawPair("com.canon.cr2-raw-image", "public.jpeg"),
  edited_heic: edited("public.heic", "public.heic"),
  edited_jpeg: edited("public.jpeg", "public.jpeg"),
  edited_video: editedVideo,
  edited_live: editedLive,
  mov: video("com.apple.quicktime-movie"),
  mp4: video("public.mpeg-4"),
  /** Slow motion: the adjustment type without any edited file. */
  slomo: (options, serial) => ({
    ...video("com.apple.quicktime-movie")(options, serial),
    adjustmentType: "com.apple.video.slomo",
    subject: "slomo",
  }),
  timelapse: (options, serial) => ({ ...video("com.apple.quicktime-movie")(options, serial), subject: "timelapse" }),
  panorama: (options, serial) => ({
    ...still("public.heic")(options, serial),
    width: 12_000,
    height: 3_000,
    subject: "panorama",
  }),
  screenshot,
  marked_screenshot: markedScreenshot,
} as const satisfies Record<string, Maker>;
export type Kind = keyof typeof KINDS;

/** Shares of a real library (cloudkit.md 10.5). */
export const REAL_MIX: Readonly<Partial<Record<Kind, number>>> = {
  live_heic: 56,
  edited_live: 1,
  heic: 9,
  jpeg: 6,
  edited_heic: 5,
  edited_jpeg: 1,
  screenshot: 7,
  marked_screenshot: 2,
  mov: 7,
  mp4: 3,
  edited_video: 1,
  raw_alternative: 1,
  raw_original: 1,
};
