/** The folders that Photos fills by itself; their names are the same in every language (files.md 4.2). */
export const SMART_FOLDERS = [
  "Bursts",
  "Favorites",
  "Hidden",
  "Live",
  "Panoramas",
  "Recently Deleted",
  "Screenshots",
  "Slo-mo",
  "Time-lapse",
  "Videos",
] as const;
export type SmartFolder = (typeof SMART_FOLDERS)[number];

/** What their owner has put out of sight: `all` leaves them out. */
export const SENSITIVE_FOLDERS: ReadonlySet<SmartFolder> = new Set(["Hidden", "Recently Deleted"] as const);

export function isSmartFolder(name: string): name is SmartFolder {
  return (SMART_FOLDERS as readonly string[]).includes(name);
}
