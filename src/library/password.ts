/** Pure rules about passwords that come from files. Facts: auth.md 6.1, 6.3. */

/** Takes off exactly one final line end, LF or CRLF; spaces belong to the password. */
export function stripTrailingNewline(text: string): string {
  return text.replace(/\r?\n$/, "");
}

/** What a file or a program has given as a password, and can't be one. */
export class NoPassword extends Error {
  override readonly name = "NoPassword";
  constructor(readonly reason: "empty" | "not-text" | "several-lines") {
    super(`no password: ${reason}`);
  }
}

/** The password in these bytes, without one final line end. Throws `NoPassword` for what Apple would count as a wrong one. */
export function passwordIn(bytes: Uint8Array): string {
  let text: string;
  try {
    // Editors on Windows may put a mark in front of a text; it can't be typed.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new NoPassword("not-text");
  }
  const password = stripTrailingNewline(text);
  if (password === "") throw new NoPassword("empty");
  if (/[\r\n]/.test(password)) throw new NoPassword("several-lines");
  return password;
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
