/** `kei why --json`: schema 1 (docs/answers.md). */
import { dispositionOf } from "./disposition.ts";
import { time } from "./status-json.ts";
import type { WhyAsset, WhyFacts } from "./why-facts.ts";

export function whyJson(facts: WhyFacts): object {
  return {
    schema: 1,
    command: "why",
    query: facts.word,
    found: facts.assets.length > 0 || facts.records.length > 0,
    fit: facts.fit ?? null,
    more: facts.more,
    assets: facts.assets.map((asset) => assetJson(asset, facts)),
    records: facts.records.map(({ library, recordName, reason, detail }) => ({
      library,
      record: recordName,
      reason,
      detail: detail ?? null,
    })),
    near: facts.near,
    as_of: time(facts.asOf),
    next_at: time(facts.nextAt),
  };
}

function assetJson(asset: WhyAsset, facts: WhyFacts): object {
  const { asset: row, albums, files, places, issues, seenAt } = asset.story;
  const { part, sentence, wayOut } = dispositionOf(asset, facts);
  return {
    library: row.library,
    asset: row.id,
    filename: row.filename ?? null,
    media_type: row.kind,
    created_at: time(row.capturedAt),
    time_zone_offset: row.timeZoneOffset ?? null,
    added_at: time(row.addedAt),
    last_seen_at: time(seenAt),
    favorite: row.isFavorite,
    hidden: row.isHidden,
    deleted: row.isDeleted,
    albums,
    disposition: part,
    rule: row.rule ?? null,
    sentence,
    way_out: wayOut ?? null,
    settings: asset.levers.map(({ flag, key, value, origin }) => ({
      flag: flag ?? null,
      key: key ?? null,
      value: value ?? null,
      origin,
    })),
    files: files.map((file) => ({
      version: file.rendition,
      status: file.status,
      size_bytes: file.size,
      attempts: file.attempts,
      error: file.lastError ?? null,
      kind: file.lastErrorKind ?? null,
      proof: file.proof ?? null,
      downloaded_at: time(file.downloadedAt === undefined ? undefined : file.downloadedAt * 1000),
      places: places
        .filter(({ rendition }) => rendition === file.rendition)
        .map((place) => ({
          pass: place.pass,
          path: place.path,
          status: place.status,
          shared: !place.owner,
          error: place.lastError ?? null,
        })),
    })),
    unusable: issues.map(({ reason, detail }) => ({ version: detail ?? null, reason })),
  };
}
