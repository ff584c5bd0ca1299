import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configurationPage, withExamples } from "../../scripts/reference.ts";

test("the page about the configuration says what the table of settings says (bun scripts/reference.ts writes it)", () => {
  const page = readFileSync(join(import.meta.dir, "../../docs/configuration.md"), "utf8");
  expect(page).toBe(configurationPage());
});

test("the page about files shows the examples that are run (bun scripts/reference.ts writes them)", () => {
  const page = readFileSync(join(import.meta.dir, "../../docs/files.md"), "utf8");
  expect(page).toBe(withExamples(page));
});
