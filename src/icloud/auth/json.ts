/** Careful reading of what Apple sends: nothing is taken for granted, nothing throws. */

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at the end of a chain of keys; undefined when the chain breaks. Never reaches inherited properties. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let current = value;
  for (const key of keys) {
    if (!isObject(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return current;
}

/** A string or a number as text (Apple changes between the two); undefined for everything else and for "". */
export function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = at(value, ...keys);
  if (typeof found === "string") return found === "" ? undefined : found;
  return typeof found === "number" && Number.isFinite(found) ? String(found) : undefined;
}

/** True only for a literal `true`. */
export function isTrue(value: unknown, ...keys: readonly string[]): boolean {
  return at(value, ...keys) === true;
}
