import { statfs } from "node:fs/promises";

/** Bytes that may still be written below `folder`; undefined where the system can't tell. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const stat = await statfs(folder);
    return Number(stat.bavail) * Number(stat.bsize);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}
