/** Photos of every kind, and what settings make of them: the examples of docs/files.md, run by a test. */
import { type AssetSpec, PhotoLibrary } from "../icloud/index.ts";

const HEIC = "public.heic";
const JPEG = "public.jpeg";
const MOVIE = "com.apple.quicktime-movie";
const RAW = "com.canon.cr2-raw-image";
const DNG = "com.adobe.raw-image";

const still = (content: number) => ({
  resJPEGMed: { uti: JPEG, content: content + 1 },
  resJPEGThumb: { uti: JPEG, content: content + 2 },
});
const film = (content: number, uti: string) => ({
  resVidMed: { uti, content: content + 3 },
  resVidSmall: { uti, content: content + 4 },
});

/** What each photo is, in words, and as the cloud holds it. Its files all have sizes of their own. */
const PHOTOS: ReadonlyArray<readonly [words: string, spec: AssetSpec]> = [
  [
    "a Live Photo",
    {
      filename: "IMG_1.HEIC",
      uti: HEIC,
      content: 1000,
      motion: { uti: MOVIE, content: 1009 },
      masterResources: { ...still(1000), ...film(1000, MOVIE) },
    },
  ],
  [
    "an edited Live Photo",
    {
      filename: "IMG_2.HEIC",
      uti: HEIC,
      content: 1100,
      motion: { uti: MOVIE, content: 1109 },
      masterResources: { ...still(1100), ...film(1100, MOVIE) },
      assetResources: { resJPEGFull: { uti: HEIC, content: 1108 }, resVidCompl: { uti: MOVIE, content: 1107 } },
      adjustmentType: "com.apple.photo",
    },
  ],
  [
    "a HEIC, edited to a JPEG",
    {
      filename: "IMG_3.HEIC",
      uti: HEIC,
      content: 1200,
      masterResources: still(1200),
      assetResources: { resJPEGFull: { uti: JPEG, content: 1208 } },
      adjustmentType: "com.apple.photo",
    },
  ],
  [
    "a RAW with its JPEG",
    {
      filename: "IMG_4.CR2",
      uti: RAW,
      content: 1300,
      alternative: { uti: JPEG, content: 1309 },
      masterResources: still(1300),
    },
  ],
  [
    "a JPEG with its RAW",
    {
      filename: "IMG_5.JPG",
      uti: JPEG,
      content: 1400,
      alternative: { uti: DNG, content: 1409 },
      masterResources: still(1400),
    },
  ],
  [
    "an edited video",
    {
      filename: "IMG_6.MOV",
      uti: MOVIE,
      content: 1500,
      masterResources: film(1500, "public.mpeg-4"),
      assetResources: { resVidFull: { uti: MOVIE, content: 1508 } },
      adjustmentType: "com.apple.video",
    },
  ],
  ["a picture in one size only", { filename: "Été 7.PNG", uti: "public.png", content: 1600 }],
];

/** A library of these photos, one a day from 1 July 2024 on; the first two are in the album Holidays. */
export function exampleLibrary(): PhotoLibrary {
  const library = new PhotoLibrary({ seed: 1 });
  const album = library.createAlbum({ name: "Holidays" });
  for (const [index, [, spec]] of PHOTOS.entries()) {
    const added = library.addAsset({
      ...spec,
      id: `0000000${index + 1}-0000-4000-8000-00000000000${index + 1}`,
      assetDate: Date.UTC(2024, 6, index + 1, 10),
    });
    if (index < 2) library.addToAlbum(added, album);
  }
  return library;
}

export interface Example {
  readonly title: string;
  /** As written on the command line. */
  readonly args: readonly string[];
  /** What only the configuration file can say. */
  readonly toml?: string;
  /** Paths below the download folder, as sorted by a listing. */
  readonly files: readonly string[];
}

/** Everything in one folder, so that names are all that differs. */
export const FLAT = ["--album", "none", "--folder-structure", "none"];

export const NAME_EXAMPLES: readonly Example[] = [
  {
    title: "nothing",
    args: [],
    files: [
      "IMG_1.HEIC IMG_1_HEVC.MOV",
      "IMG_2.HEIC IMG_2_HEVC.MOV",
      "IMG_3.HEIC",
      "IMG_4.CR2",
      "IMG_5.JPG",
      "IMG_6.MOV",
      "t 7.PNG",
    ],
  },
  {
    title: "medium size; where there is none, the original stands in",
    args: ["--size", "medium"],
    files: [
      "IMG_1-medium.JPG IMG_1-medium.MOV",
      "IMG_2-medium.JPG IMG_2-medium.MOV",
      "IMG_3-medium.JPG",
      "IMG_4-medium.JPG",
      "IMG_5-medium.JPG",
      "IMG_6-medium.MOV",
      "t 7.PNG",
    ],
  },
  {
    title: "medium size or nothing",
    args: ["--size", "medium", "--force-size", "--live-photo-mode", "image-only"],
    files: [
      "IMG_1-medium.JPG",
      "IMG_2-medium.JPG",
      "IMG_3-medium.JPG",
      "IMG_4-medium.JPG",
      "IMG_5-medium.JPG",
      "IMG_6-medium.MOV",
    ],
  },
  {
    title: "several sizes, each its own file",
    args: ["--size", "original", "--size", "medium", "--size", "thumb"],
    files: [
      "IMG_1-medium.JPG IMG_1-thumb.JPG IMG_1.HEIC IMG_1_HEVC.MOV",
      "IMG_2-medium.JPG IMG_2-thumb.JPG IMG_2.HEIC IMG_2_HEVC.MOV",
      "IMG_3-medium.JPG IMG_3-thumb.JPG IMG_3.HEIC",
      "IMG_4-medium.JPG IMG_4-thumb.JPG IMG_4.CR2",
      "IMG_5-medium.JPG IMG_5-thumb.JPG IMG_5.JPG",
      "IMG_6-medium.MOV IMG_6-thumb.MOV IMG_6.MOV",
      "t 7.PNG",
    ],
  },
  {
    title: "edited versions beside the originals",
    args: ["--size", "original", "--size", "adjusted"],
    files: [
      "IMG_1.HEIC IMG_1_HEVC.MOV",
      "IMG_2.HEIC IMG_2_HEVC.MOV IMG_2_edited.HEIC IMG_2_edited.MOV",
      "IMG_3.HEIC IMG_3_edited.JPG",
      "IMG_4.CR2",
      "IMG_5.JPG",
      "IMG_6.MOV IMG_6_edited.MOV",
      "t 7.PNG",
    ],
  },
  {
    title: "edited versions with the plain name",
    args: [],
    toml: '[photos]\nedited = true\nedited_naming = "primary"',
    files: [
      "IMG_1.HEIC IMG_1_HEVC.MOV",
      "IMG_2.HEIC IMG_2_HEVC.MOV IMG_2_HEVC_original.MOV IMG_2_original.HEIC",
      "IMG_3.JPG IMG_3_original.HEIC",
      "IMG_4.CR2",
      "IMG_5.JPG",
      "IMG_6.MOV IMG_6_original.MOV",
      "t 7.PNG",
    ],
  },
  {
    title: "edited versions in place of the originals",
    args: ["--size", "adjusted"],
    files: [
      "IMG_1.HEIC IMG_1_HEVC.MOV",
      "IMG_2.HEIC IMG_2_HEVC.MOV",
      "IMG_3.JPG",
      "IMG_4.CR2",
      "IMG_5.JPG",
      "IMG_6.MOV",
      "t 7.PNG",
    ],
  },
  {
    title: "edited versions only",
    args: ["--size", "none", "--size", "adjusted", "--live-photo-mode", "image-only"],
    files: ["IMG_2_edited.HEIC", "IMG_3_edited.JPG", "IMG_6_edited.MOV"],
  },
  {
    title: "both halves of RAW pairs",
    args: ["--size", "original", "--size", "alternative"],
    files: [
      "IMG_1.HEIC IMG_1_HEVC.MOV",
      "IMG_2.HEIC IMG_2_HEVC.MOV",
      "IMG_3.HEIC",
      "IMG_4.CR2 IMG_4_alt.JPG",
      "IMG_5.JPG IMG_5_RAW.DNG",
      "IMG_6.MOV",
      "t 7.PNG",
    ],
  },
  {
    title: "the RAW of every pair",
    args: ["--align-raw", "prefer-raw"],
    files: [
      "IMG_1.HEIC IMG_1_HEVC.MOV",
      "IMG_2.HEIC IMG_2_HEVC.MOV",
      "IMG_3.HEIC",
      "IMG_4.CR2",
      "IMG_5.DNG",
      "IMG_6.MOV",
      "t 7.PNG",
    ],
  },
  {
    title: "the JPEG of every pair, and the RAW beside it",
    args: ["--align-raw", "prefer-jpeg", "--size", "original", "--size", "alternative"],
    files: [
      "IMG_1.HEIC IMG_1_HEVC.MOV",
      "IMG_2.HEIC IMG_2_HEVC.MOV",
      "IMG_3.HEIC",
      "IMG_4.JPG IMG_4_RAW.CR2",
      "IMG_5.JPG IMG_5_RAW.DNG",
      "IMG_6.MOV",
      "t 7.PNG",
    ],
  },
  {
    title: "Live Photos without their videos",
    args: ["--live-photo-mode", "image-only"],
    files: ["IMG_1.HEIC", "IMG_2.HEIC", "IMG_3.HEIC", "IMG_4.CR2", "IMG_5.JPG", "IMG_6.MOV", "t 7.PNG"],
  },
  {
    title: "only the videos of Live Photos, in medium size",
    args: ["--live-photo-mode", "video-only", "--live-photo-size", "medium"],
    files: ["IMG_1_HEVC.MOV", "IMG_2_HEVC.MOV", "IMG_3.HEIC", "IMG_4.CR2", "IMG_5.JPG", "IMG_6.MOV", "t 7.PNG"],
  },
  {
    title: "no Live Photos",
    args: ["--live-photo-mode", "skip"],
    files: ["IMG_3.HEIC", "IMG_4.CR2", "IMG_5.JPG", "IMG_6.MOV", "t 7.PNG"],
  },
  {
    title: "videos of Live Photos named like their stills",
    args: ["--live-photo-mov-filename-policy", "original"],
    files: [
      "IMG_1.HEIC IMG_1.MOV",
      "IMG_2.HEIC IMG_2.MOV",
      "IMG_3.HEIC",
      "IMG_4.CR2",
      "IMG_5.JPG",
      "IMG_6.MOV",
      "t 7.PNG",
    ],
  },
  {
    title: "a short id in every name",
    args: ["--file-match-policy", "name-id7", "--filename-exclude", "IMG_[3-7]*"],
    files: [
      "IMG_1_QWNaR3F.HEIC IMG_1_QWNaR3F_HEVC.MOV",
      "IMG_2_QVluemJ.HEIC IMG_2_QVluemJ_HEVC.MOV",
      "t 7_QVV3V0t.PNG",
    ],
  },
  {
    title: "characters beyond ASCII",
    args: ["--keep-unicode-in-filenames", "--live-photo-mode", "skip", "--skip-videos"],
    files: ["IMG_3.HEIC", "IMG_4.CR2", "IMG_5.JPG", "Été 7.PNG"],
  },
].map((example) => ({ ...example, args: [...FLAT, ...example.args] }));

export const FOLDER_EXAMPLES: readonly Example[] = [
  {
    title: "nothing",
    args: [],
    files: [
      "2024/07/03/IMG_3.HEIC",
      "2024/07/04/IMG_4.CR2",
      "2024/07/05/IMG_5.JPG",
      "2024/07/06/IMG_6.MOV",
      "2024/07/07/t 7.PNG",
      "Holidays/IMG_1.HEIC",
      "Holidays/IMG_1_HEVC.MOV",
      "Holidays/IMG_2.HEIC",
      "Holidays/IMG_2_HEVC.MOV",
    ],
  },
  {
    title: "the whole library by month",
    args: ["--album", "none", "--folder-structure", "%Y/%B", "--live-photo-mode", "image-only"],
    files: [
      "2024/July/IMG_1.HEIC",
      "2024/July/IMG_2.HEIC",
      "2024/July/IMG_3.HEIC",
      "2024/July/IMG_4.CR2",
      "2024/July/IMG_5.JPG",
      "2024/July/IMG_6.MOV",
      "2024/July/t 7.PNG",
    ],
  },
  {
    title: "an album by year, and nothing else",
    args: [
      "--album",
      "Holidays",
      "--unfiled=false",
      "--folder-structure-albums",
      "{album}/%Y",
      "--live-photo-mode",
      "image-only",
    ],
    files: ["Holidays/2024/IMG_1.HEIC", "Holidays/2024/IMG_2.HEIC"],
  },
  {
    title: "a folder that Photos fills by itself, below its library",
    args: [
      "--album",
      "none",
      "--unfiled=false",
      "--smart-folder",
      "Videos",
      "--folder-structure-smart-folders",
      "{library}/{smart-folder}",
    ],
    files: ["PrimarySync/Videos/IMG_6.MOV"],
  },
];

/** Every file of an example by itself. */
export function filesOf(example: Example): readonly string[] {
  const files = example.files.some((file) => file.includes("/")) ? example.files : example.files.flatMap(apart);
  return files.toSorted((a, b) => (a < b ? -1 : 1));
}

/** `IMG_1.HEIC IMG_1_HEVC.MOV`: the files of one photo, parted by the blank before a name. */
function apart(line: string): readonly string[] {
  return line.split(/ (?=IMG_)/);
}
