/** Why the trees of kei and icloudpd differ; each reason is a row of docs/from-icloudpd.md. */

export interface Reason {
  /** First words of its row in docs/from-icloudpd.md. */
  readonly title: string;
  /** Heading of docs/files.md that says what kei does. */
  readonly section: string;
}

export const REASONS = {
  clock: { title: "Day of the capture", section: "Folder templates" },
  sameSize: { title: "Two photos of one name, day and size", section: "When a name is taken" },
  duplicates: { title: "Duplicates", section: "When a name is taken" },
  collision: { title: "Different files are in the way", section: "When a name is taken" },
  followsStill: { title: "Name of a Live Photo's video", section: "Live Photos" },
  liveSize: { title: "Size of a Live Photo's video", section: "Live Photos" },
  liveFallback: { title: "A Live Photo without that size of video", section: "Which files" },
  liveAlternative: { title: "Other half of a Live Photo", section: "Which files" },
  edited: { title: "Edited versions", section: "Which files" },
  editedVideo: { title: "Edited videos", section: "Which files" },
  alternative: { title: "Other half of a RAW pair", section: "Which files" },
  noStem: { title: "Names without a letter of ASCII", section: "File names" },
  noName: { title: "Photos without a name", section: "File names" },
  control: { title: "Control characters", section: "File names" },
  tooLong: { title: "Names beyond 255 bytes", section: "File names" },
  loneDot: { title: "Names without an extension", section: "File names" },
  webp: { title: "WebP", section: "File names" },
  marked: { title: "Names that end in -original", section: "When a name is taken" },
  sizeAndId: { title: "Size and short id in one name", section: "When a name is taken" },
  days: { title: "Bounds by day", section: "Filters" },
  recent: { title: "The most recent photos", section: "Filters" },
} as const satisfies Record<string, Reason>;

export type ReasonId = keyof typeof REASONS;
