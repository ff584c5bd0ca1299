/** How a file system compares names; asked of the disk, not guessed from the operating system. */
export interface PathTraits {
  readonly caseInsensitive: boolean;
  /** Takes composed and decomposed letters for the same. */
  readonly normalising: boolean;
}

/** Two paths with one key are one file on a file system with these traits. Names are compared, never changed. */
export function pathKey(path: string, traits: PathTraits): string {
  const composed = traits.normalising ? path.normalize("NFC") : path;
  return traits.caseInsensitive ? composed.toUpperCase().toLowerCase() : composed;
}
