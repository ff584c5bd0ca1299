/** Which file on disk belongs to which photo (files.md 7.3). Decisions only: looking and proving is the caller's. */
import type { Candidate, Wanted } from "./candidates.ts";

/** What the content of a file says about a rendition. `unknown`: it can't be told. */
export type Proof = "proven" | "different" | "unknown";

export interface Disk {
  /** Size in bytes of the regular file at a path, also through a link; undefined when there is none to be seen. */
  readonly sizeOf: (path: string) => number | undefined;
  /** Whether a row already owns the file. */
  readonly isOwned: (path: string) => boolean;
  readonly proofOf: (path: string, wanted: Wanted) => Proof;
}

export type Match =
  | { readonly wanted: Wanted; readonly how: "adopted"; readonly path: string; readonly proof: Proof }
  | { readonly wanted: Wanted; readonly how: "ambiguous"; readonly path: string }
  | { readonly wanted: Wanted; readonly how: "unmatched" };

/**
 * Gives each file to at most one rendition. Only files of the exact size count; what the content proves comes first, then
 * a name that carries the id, then the order of the candidates. Where several photos could own a file and nothing tells
 * them apart, nobody gets it; copies of one photo are told apart by the order of the list.
 */
export function matchFiles(all: readonly Wanted[], disk: Disk): readonly Match[] {
  const choices = all.map((wanted) => bestOf(wanted, disk));
  const claims = new Map<string, Wanted[]>();
  for (const [index, choice] of choices.entries()) {
    const wanted = all[index];
    if (choice === undefined || wanted === undefined) continue;
    claims.set(choice.path, [...(claims.get(choice.path) ?? []), wanted]);
  }
  return all.map((wanted, index): Match => {
    const choice = choices[index];
    if (choice === undefined) return { wanted, how: "unmatched" };
    const { path, proof } = choice;
    const rivals = claims.get(path) ?? [];
    const winner = rivals.length === 1 ? wanted : winnerOf(rivals, path, disk);
    if (winner === undefined) return { wanted, how: "ambiguous", path };
    return winner === wanted ? { wanted, how: "adopted", path, proof } : { wanted, how: "unmatched" };
  });
}

/** The best candidate of a rendition that is there, with what its content says. */
function bestOf(wanted: Wanted, disk: Disk): { readonly path: string; readonly proof: Proof } | undefined {
  const there = wanted.candidates
    .filter(({ path }) => disk.sizeOf(path) === wanted.resource.size && !disk.isOwned(path))
    .map((candidate) => ({ ...candidate, proof: disk.proofOf(candidate.path, wanted) }));
  const rank = ({ byIdentity, proof }: Candidate & { readonly proof: Proof }): number =>
    (proof === "proven" ? 0 : proof === "unknown" ? 2 : 4) + (byIdentity ? 0 : 1);
  return there.toSorted((a, b) => rank(a) - rank(b))[0];
}

/** Who owns a file that several want; undefined when nothing tells. */
function winnerOf(rivals: readonly Wanted[], path: string, disk: Disk): Wanted | undefined {
  const proven = rivals.filter((wanted) => disk.proofOf(path, wanted) === "proven");
  const [first, ...others] = proven.length > 0 ? proven : rivals;
  if (first === undefined) return undefined;
  if (others.length === 0) return first;
  const sameContent = others.every(({ resource }) => resource.checksum === first.resource.checksum);
  // Within one photo the settings decide: what they ask for comes first.
  const samePhoto = others.every(({ asset }) => asset.id === first.asset.id);
  return sameContent || samePhoto ? first : undefined;
}
