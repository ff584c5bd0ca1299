/** What the parts of a count add up to. */
export function sumOf(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((total, part) => total + part, 0);
}
