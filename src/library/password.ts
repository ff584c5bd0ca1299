/** Pure rules about passwords that come from files. Facts: auth.md 6.1, 6.3. */

/** Takes off exactly one final line end, LF or CRLF; spaces belong to the password. */
export function stripTrailingNewline(text: string): string {
  return text.replace(/\r?\n$/, "");
}

const SECRET_MOUNTS = ["/run/secrets/", "/var/run/secrets/"];

/**
 * True when others than the owner could touch the file of that mode (as `stat` gives it). Below the mount points that
 * containers use for secrets the mode is not the owner's choice, and nothing is wrong.
 */
export function isTooOpen(path: string, mode: number): boolean {
  if (SECRET_MOUNTS.some((mount) => path.startsWith(mount))) return false;
  return (mode & 0o077) !== 0;
}
