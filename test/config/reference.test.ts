import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configurationPage } from "../../scripts/reference.ts";

test("the page about the configuration says what the table of settings says (bun scripts/reference.ts writes it)", () => {
  const page = readFileSync(join(import.meta.dir, "../../docs/configuration.md"), "utf8");
  expect(page).toBe(configurationPage());
});
