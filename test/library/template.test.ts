import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ZoneName } from "../../src/library/asset.ts";
import { EXIT, Failure } from "../../src/library/failure.ts";
import { parseTemplate, renderFolder, type TemplateCategory } from "../../src/library/template.ts";

const JULY = { capturedAt: Date.parse("2018-07-05T09:03:02Z"), timeZoneOffset: 0 };

function render(template: string, category: TemplateCategory, album = "Holidays"): string {
  return renderFolder(parseTemplate(template, category), { ...JULY, album, library: "PrimarySync" as ZoneName });
}

describe("a folder template", () => {
  test("without text, or called none in any case, is no folder", () => {
    for (const text of ["", "  ", "none", "NONE", "{:none}", "{:}"]) expect(render(text, "unfiled")).toBe("");
  });

  test.each([
    ["{:%Y}/{:%m}", "%Y/%m"],
    ["{0:%Y}/{0:%m}", "%Y/%m"],
    ["Photos/{:%Y-%m}", "Photos/%Y-%m"],
    ["{:%Y}/x/{:%d}", "%Y/x/%d"],
  ])("in the form %s is refused with the one to write", (text, converted) => {
    expect(() => parseTemplate(text, "unfiled")).toThrow(`write "${converted}"`);
  });

  test.each(["{}", "{date}", "{%Y}", "%Y/{", "}/%Y", "{Album}/%Y", "{ album }"])("with %s is refused", (text) => {
    expect(() => parseTemplate(text, "albums")).toThrow("the only words in braces");
  });

  test("with an unknown specifier is refused with its place in the whole", () => {
    expect(() => parseTemplate("{album}/%Y/%Q", "albums")).toThrow("%Q at position 12");
    expect(() => parseTemplate("%{album}", "albums")).toThrow("position 1");
  });

  test("that is wrong is a failure of the configuration", () => {
    expect.assertions(2);
    try {
      parseTemplate("%Y/{album}", "albums");
    } catch (error) {
      expect(error).toBeInstanceOf(Failure);
      expect(error).toMatchObject({ exit: EXIT.failure });
    }
  });

  test("with {album} in the base says which two to set instead", () => {
    expect(() => parseTemplate("{album}/%Y", "unfiled")).toThrow(
      'set folder_structure_albums = "{album}/%Y" and folder_structure = "%Y"',
    );
    expect(() => parseTemplate("{album}", "unfiled")).toThrow('folder_structure = "none"');
  });

  test("takes album names as they are, percent signs and braces too", () => {
    expect(render("{album}/%Y", "albums", "100% {album} %Y")).toBe("100% {album} %Y/2018");
    expect(render("{library}/{album}", "albums", "a/b")).toBe("PrimarySync/a_b");
  });

  test("gives shared libraries folders of eight characters", () => {
    const zone = "SharedSync-A1B2C3D4-1111-2222-3333-444455556666" as ZoneName;
    expect(renderFolder(parseTemplate("{library}", "unfiled"), { ...JULY, library: zone })).toBe("SharedSync-A1B2C3D4");
    expect(parseTemplate("{library}/%Y", "unfiled").separatesLibraries).toBe(true);
    expect(parseTemplate("%Y", "unfiled").separatesLibraries).toBe(false);
  });

  test("makes folders that Windows can create, where asked to", () => {
    const options = { windows: true };
    const folder = renderFolder(parseTemplate("{album}/%Y", "albums"), { ...JULY, album: "aux" }, options);
    expect(folder).toBe("_aux/2018");
  });

  test("never leads out of the download folder, whatever album, library and text", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.constantFrom("..", ".", "/", "//", "../..", "\u0000", "C:\\", "~", " .. ", "…", "\ud800", "\\..\\"),
    );
    const name = fc.array(piece, { maxLength: 4 }).map((parts) => parts.join(""));
    const text = fc.array(fc.oneof(name, fc.constantFrom("%Y", "%D", "%c", "%+", "/", "..")), { maxLength: 6 });
    fc.assert(
      fc.property(name, name, text, fc.boolean(), fc.double({ noNaN: true, min: -8e15, max: 8e15 }), (...given) => {
        const [album, library, parts, windows, capturedAt] = given;
        const rest = parts.join("").replaceAll(/[{}]|%(?![YDc+])/g, "");
        const template = parseTemplate(`{library}/{album}/${rest}`, "albums");
        const values = { capturedAt, timeZoneOffset: 0, album, library: library as ZoneName };
        const folder = renderFolder(template, values, { windows });
        for (const segment of folder.split("/")) {
          expect(segment).not.toBe("");
          expect(segment).not.toContain("..");
          // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there.
          expect(segment).not.toMatch(/[\\:\u0000-\u001f]|^[. ]|[. ]$/);
          expect(Buffer.byteLength(segment)).toBeLessThanOrEqual(255);
        }
      }),
      { numRuns: 300 },
    );
  });
});
