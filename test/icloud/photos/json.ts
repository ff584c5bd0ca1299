/** JSON as Apple's servers print it: two spaces, `"key" : value`, arrays opened on the line of their first item. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

export function printJson(value: Json, pretty: boolean): string {
  return pretty ? print(value, "") : JSON.stringify(value);
}

function print(value: Json, indent: string): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isArray(value)) {
    return value.length === 0 ? "[ ]" : `[ ${value.map((item) => print(item, indent)).join(", ")} ]`;
  }
  const inner = `${indent}  `;
  const lines: string[] = [];
  for (const key in value) {
    const item = value[key];
    if (item !== undefined) lines.push(`${inner}${JSON.stringify(key)} : ${print(item, inner)}`);
  }
  return lines.length === 0 ? "{ }" : `{\n${lines.join(",\n")}\n${indent}}`;
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
