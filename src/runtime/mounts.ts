import { statfsSync } from "node:fs";

/** Types of file systems that lie on another machine or behind a program, as statfs(2) of Linux names them. */
const REMOTE: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x517b, // SMB
  0x01021997, // 9p
  0x65735546, // FUSE
  0x00c36400, // Ceph
  0x5346414f, // AFS
  0x0bd00bd0, // Lustre
]);

/**
 * Whether `folder` lies on a file system that may not give the locks and the shared memory a local disk gives. Where
 * the system can't tell, it is taken for a local disk.
 */
export function isRemoteMount(folder: string): boolean {
  try {
    return REMOTE.has(Number(statfsSync(folder).type) >>> 0);
  } catch (error) {
    // Not every system has statfs; a programming error still shows.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return false;
  }
}
