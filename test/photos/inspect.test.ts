/** What an answer must hold beyond its status, by operation (cloudkit.md 7.4, engine.md 2.5). */
import { expect, test } from "bun:test";
import type { ProblemKind } from "../../src/icloud/cloudkit/errors.ts";
import { inspect } from "../../src/icloud/cloudkit/inspect.ts";

const ASKED = { zones: [{ zoneID: { zoneName: "PrimarySync" }, syncToken: "t" }] };
const zone = (more: object) => ({ zones: [{ zoneID: { zoneName: "PrimarySync", ownerRecordName: "_0" }, ...more }] });
const told = (more: object) => zone({ syncToken: "u", moreComing: false, records: [], ...more });

test.each<[string, string, Record<string, unknown>, ProblemKind | undefined]>([
  ["a page", "records/query", { records: [] }, undefined],
  ["a page without records", "records/query", { syncToken: "t" }, "transient"],
  ["a record that stays broken", "records/query", { records: [{ serverErrorCode: "ACCESS_DENIED" }] }, undefined],
  ["a record to wait for", "records/lookup", { records: [{}, { serverErrorCode: "RETRY_LATER" }] }, "transient"],
  ["a record to wait for as told", "records/lookup", { records: [{ serverErrorCode: "THROTTLED" }] }, "throttled"],
  ["a lookup without records", "records/lookup", { records: null }, "transient"],
  ["libraries", "zones/list", { zones: [] }, undefined],
  ["a list of zones without zones", "zones/list", { moreComing: false }, "transient"],
  ["changed zones", "changes/database", { zones: [], syncToken: "db" }, undefined],
  ["changed zones without a token", "changes/database", { zones: [], syncToken: " " }, undefined],
  ["a part of them without a token", "changes/database", { zones: [], moreComing: true }, "transient"],
  ["no changed zones", "changes/database", { syncToken: "db" }, "transient"],
  ["changes", "changes/zone", told({}), undefined],
  ["changes of a zone without a name", "changes/zone", told({ zoneID: {} }), undefined],
  ["changes of another zone", "changes/zone", told({ zoneID: { zoneName: "SharedSync-1" } }), "transient"],
  ["changes of no zone", "changes/zone", { zones: [] }, "transient"],
  ["changes without a token", "changes/zone", told({ syncToken: "" }), "transient"],
  ["changes without records", "changes/zone", told({ records: undefined }), "transient"],
  ["a token refused", "changes/zone", zone({ serverErrorCode: "BAD_REQUEST", syncToken: "" }), "bad-request"],
  ["a lock in the zone", "changes/zone", zone({ serverErrorCode: "cas_op_lock" }), "transient"],
  ["a throttle of the zone", "changes/zone", zone({ serverErrorCode: "THROTTLED", retryAfter: "30" }), "throttled"],
  ["a zone that is gone", "changes/zone", zone({ serverErrorCode: "ZONE_NOT_FOUND" }), "zone-gone"],
  ["the session in the zone", "changes/zone", zone({ serverErrorCode: "AUTHENTICATION_REQUIRED" }), "session"],
  ["a code nobody knows", "changes/zone", { serverErrorCode: "SOMETHING_NEW" }, "transient"],
  ["a code nobody knows, elsewhere", "records/query", { serverErrorCode: "SOMETHING_NEW" }, "permanent"],
  ["a code of the zone nobody knows", "changes/zone", zone({ serverErrorCode: "SOMETHING_NEW" }), "transient"],
  [
    "a passing error of one change",
    "changes/zone",
    told({ records: [{ recordName: "A" }, { recordName: "B", serverErrorCode: "RETRY_LATER" }] }),
    "transient",
  ],
  [
    "an error of one change that stays",
    "changes/zone",
    told({ records: [{ recordName: "B", serverErrorCode: "ACCESS_DENIED" }] }),
    "permanent",
  ],
  ["counts, whatever they are", "internal/records/query/batch", {}, undefined],
])("%s", (_, operation, json, kind) => {
  expect(inspect(operation, ASKED, 200, json)?.problem.kind).toBe(kind as ProblemKind);
});
