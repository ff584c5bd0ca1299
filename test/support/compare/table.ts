/** The outcome of a comparison, for people. */
import { REASONS } from "./reasons.ts";
import type { Explained, Outcome } from "./run.ts";

/** Differences of the same reasons, or of none. */
export interface Class {
  readonly title: string;
  /** Headings of docs/files.md. */
  readonly sections: readonly string[];
  readonly count: number;
  readonly example: Explained;
}

export function classesOf(differences: readonly Explained[]): readonly Class[] {
  const classes = new Map<string, Explained[]>();
  for (const difference of differences) {
    const key = difference.reasons?.join(" ") ?? "";
    classes.set(key, [...(classes.get(key) ?? []), difference]);
  }
  return [...classes.values()]
    .map((members) => {
      const [example] = members;
      if (example === undefined) throw new Error("unreachable: a class has members");
      const reasons = (example.reasons ?? []).map((id) => REASONS[id]);
      return {
        title: example.reasons === undefined ? "NOT EXPLAINED" : reasons.map(({ title }) => title).join(" + "),
        sections: [...new Set(reasons.map(({ section }) => section))],
        count: members.length,
        example,
      };
    })
    .toSorted((a, b) => b.count - a.count);
}

export function unexplained(outcome: Outcome): readonly Explained[] {
  return outcome.differences.filter(({ reasons }) => reasons === undefined);
}

/** One row as lines of text. */
export function linesOf(outcome: Outcome): readonly string[] {
  const { files, seconds, same, otherBytes, differences } = outcome;
  const moved = differences.filter(({ kei, icloudpd }) => kei !== undefined && icloudpd !== undefined).length;
  const onlyKei = differences.filter(({ icloudpd }) => icloudpd === undefined).length;
  const onlyIcloudpd = differences.filter(({ kei }) => kei === undefined).length;
  const time = `${seconds.kei.toFixed(1)} s and ${seconds.icloudpd.toFixed(1)} s`;
  return [
    `${outcome.row} (TZ=${outcome.zone}): kei ${files.kei} files, icloudpd ${files.icloudpd} (${time})`,
    ...counted("same path, same bytes", same.length),
    ...counted("same bytes, another name", moved),
    ...counted("only kei", onlyKei),
    ...counted("only icloudpd", onlyIcloudpd),
    ...counted("of these at one path with other bytes", otherBytes.length),
    ...classesOf(differences).flatMap(({ title, sections, count, example }) => [
      `    ${String(count).padStart(5)}  ${title}${sections.length === 0 ? "" : ` (docs/files.md: ${sections.join(", ")})`}`,
      `           kei ${shown(example.kei)}   icloudpd ${shown(example.icloudpd)}`,
    ]),
    ...unexplained(outcome)
      .slice(1, 20)
      .map(({ kei, icloudpd }) => `           NOT EXPLAINED: kei ${shown(kei)}   icloudpd ${shown(icloudpd)}`),
  ];
}

function counted(what: string, count: number): readonly string[] {
  return count === 0 ? [] : [`  ${String(count).padStart(6)} ${what}`];
}

function shown(path: string | undefined): string {
  if (path === undefined) return "-";
  return path.length > 100 ? `${path.slice(0, 60)}...${path.slice(-30)}` : path;
}
