/** A strict reader of OpenMetrics text: throws at whatever the form does not allow. */

/** Values by sample, labels as written. */
export function parseOpenMetrics(text: string): ReadonlyMap<string, number> {
  if (!text.endsWith("\n# EOF\n")) throw new Error("no # EOF at the end");
  const samples = new Map<string, number>();
  let family: { readonly name: string; readonly type: string } | undefined;
  const seen = new Set<string>();
  for (const line of text.slice(0, -"# EOF\n".length).trimEnd().split("\n")) {
    const type = /^# TYPE ([a-z_]+) (counter|gauge|info)$/.exec(line);
    if (type !== null) {
      const [, name = "", kind = ""] = type;
      if (seen.has(name)) throw new Error(`${name} comes twice`);
      seen.add(name);
      family = { name, type: kind };
      continue;
    }
    if (line.startsWith("# HELP ")) {
      if (family === undefined || !line.startsWith(`# HELP ${family.name} `)) throw new Error(`astray: ${line}`);
      continue;
    }
    const sample = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (\d+(?:\.\d+)?)$/.exec(line);
    if (sample === null) throw new Error(`no sample: ${line}`);
    const [, name = "", labels = "", value] = sample;
    const suffix = { counter: "_total", info: "_info" }[family?.type ?? ""] ?? "";
    if (name !== `${family?.name}${suffix}`) throw new Error(`${name} stands below ${family?.name}`);
    if (samples.has(name + labels)) throw new Error(`${name}${labels} comes twice`);
    samples.set(name + labels, Number(value));
  }
  return samples;
}

export function figure(samples: ReadonlyMap<string, number>, name: string): number | undefined {
  return samples.get(name);
}
