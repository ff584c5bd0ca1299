import { describe, expect, test } from "bun:test";
import { nearest, nearestNames } from "../../src/library/nearest.ts";
import { parseSelectors, resolveAlbums, resolveLibraries, type SelectorFault } from "../../src/library/selectors.ts";

const ALBUMS = [
  { id: "1", name: "Family", path: "Family" },
  { id: "2", name: "Rome", path: "Trips/Rome" },
  { id: "3", name: "2024", path: "Trips/2024" },
  { id: "4", name: "2024", path: "Work/2024" },
  { id: "5", name: "Twice", path: "Twice" },
  { id: "6", name: "Twice", path: "Twice" },
  { id: "7", name: "Été", path: "Été" },
];

function resolve(...values: string[]): ReturnType<typeof resolveAlbums> {
  return resolveAlbums(parseSelectors("albums", values), ALBUMS);
}

describe("album selectors", () => {
  test("find albums by path, and by name where it is one album's", () => {
    expect(resolve("Rome").ids).toEqual(["2"]);
    expect(resolve("Trips/Rome").ids).toEqual(["2"]);
    expect(resolve("Trips/2024").ids).toEqual(["3"]);
  });

  test("mean both of two albums with one name", () => {
    expect(resolve("Twice").ids).toEqual(["5", "6"]);
  });

  test("say which albums a name could mean", () => {
    expect(resolve("2024")).toMatchObject({
      ids: [],
      unknown: ["2024"],
      suggestions: { "2024": ["Trips/2024", "Work/2024"] },
    });
  });

  test("tell what an unknown name may have been, also an excluded one", () => {
    expect(resolve("Famly")).toMatchObject({ unknown: ["Famly"], suggestions: { Famly: ["Family"] } });
    expect(resolve("all", "!family").suggestions["family"]).toEqual(["Family"]);
  });

  test("leave out what is excluded", () => {
    expect(resolve("!Family", "!Twice").ids).toEqual(["2", "3", "4", "7"]);
    expect(resolve("none")).toMatchObject({ ids: [], none: true, unknown: [] });
  });

  test("compare names in one composition", () => {
    expect(resolve("E\u0301te\u0301").ids).toEqual(["7"]);
  });

  test.each([
    [["Family", "!Family"], "contradiction"],
    [["=all", "!=all"], "contradiction"],
    [["all", "ALL"], "duplicate"],
    [["!A", "! A"], "duplicate"],
    [["!"], "empty"],
    [["="], "empty"],
    [["none", "!A"], "none-with-others"],
  ] as ReadonlyArray<readonly [string[], SelectorFault]>)("%p is refused: %s", (values, reason) => {
    expect(() => parseSelectors("albums", values)).toThrow(expect.objectContaining({ reason }));
  });

  test("take a literal exclusion", () => {
    expect(parseSelectors("albums", ["!=all"])).toMatchObject({ mode: "all", exclude: ["all"] });
  });
});

describe("library selectors", () => {
  const primary = "PrimarySync";
  const shared = "SharedSync-A1B2C3D4-1111-2222-3333-444455556666";
  const other = "SharedSync-99999999-1111-2222-3333-444455556666";
  const zones = [primary, shared, other];
  const libraries = (...values: string[]) => resolveLibraries(parseSelectors("libraries", values), zones);

  test("find shared libraries by full and short form in any case", () => {
    expect(libraries("sharedsync-a1b2c3d4").names).toEqual([shared]);
    expect(libraries(shared.toLowerCase()).names).toEqual([shared]);
    expect(libraries("all", "!SharedSync-A1B2C3D4").names).toEqual([primary, other]);
  });

  test("know primary, shared and all", () => {
    expect(libraries().names).toEqual([primary]);
    expect(libraries("shared").names).toEqual([shared, other]);
    expect(libraries("primary", "SharedSync-99999999").names).toEqual([primary, other]);
    expect(libraries("all").names).toEqual(zones);
  });

  test("name what does not exist", () => {
    expect(libraries("Nope").unknown).toEqual(["Nope"]);
    expect(resolveLibraries(parseSelectors("libraries", ["shared"]), [primary]).unknown).toEqual(["shared"]);
  });

  test("are refused when they leave nothing, or two of one name", () => {
    expect(() => libraries("!PrimarySync")).toThrow("leaves no library");
    expect(() => parseSelectors("libraries", ["none"])).toThrow("at least one");
    const twin = shared.replace("1111", "2222");
    expect(() => resolveLibraries(parseSelectors("libraries", ["all"]), [shared, twin])).toThrow("both called");
  });
});

describe("the nearest name", () => {
  test("is near in letters, and nearest first", () => {
    expect(nearest("--drectory", ["--directory", "--domain"])).toBe("--directory");
    expect(nearest("Holidasy", ["Holidays", "Family"])).toBe("Holidays");
    expect(nearest("xyz", ["Family"])).toBeUndefined();
    expect(nearestNames("rome", ["Rom", "Rome", "Roma", "Berlin"])).toEqual(["Rome", "Rom", "Roma"]);
  });
});
