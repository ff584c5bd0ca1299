import { afterAll, describe, expect, test } from "bun:test";
import { fileChecksum } from "../icloud/photos/checksum.ts";
import { type CdnFaultKind, createLibrary, expectedFiles, PhotoLibrary } from "../icloud/photos/index.ts";
import { serveWire, type WireServer } from "../icloud/wire.ts";
import { type Bench, bench, listBody, resourceOf, type WireResource } from "./photos-support.ts";

const SIZE = 5_000;
/** Stands for the file name in the URLs that Apple sends. */
const NAME = "$".concat("{f}");

async function one(
  options: { size?: number } = {},
): Promise<{ double: Bench; resource: WireResource; bytes: Uint8Array }> {
  const library = new PhotoLibrary();
  library.addAsset({ content: options.size ?? SIZE });
  const double = bench(library);
  const page = await double.json("records/query", listBody(0));
  const [file] = expectedFiles(library);
  if (file === undefined) throw new Error("no file");
  return { double, resource: resourceOf(page.records[0]), bytes: file.bytes() };
}

const outcome = async (work: Promise<unknown> | undefined): Promise<"whole" | "broken"> => {
  try {
    await work;
    return "whole";
  } catch {
    // That it breaks is what is asked here; how it is worded differs between runtimes.
    return "broken";
  }
};

const body = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer());

describe("download URLs", () => {
  test("have the recorded form and length", async () => {
    const { resource } = await one();
    const url = new URL(resource.downloadURL);
    expect(url.host).toBe("cvws.icloud-content.com");
    expect(resource.downloadURL).toContain(`/${NAME}?`);
    expect([...url.searchParams.keys()]).toEqual([
      "o",
      "v",
      "x",
      "a",
      "e",
      "fl",
      "r",
      "k",
      "ckc",
      "ckz",
      "y",
      "p",
      "s",
    ]);
    expect(url.searchParams.get("r")).toMatch(/^[0-9a-f-]{36}-1$/);
    expect(resource.downloadURL.length).toBeGreaterThan(360);
    expect(resource.downloadURL.length).toBeLessThan(514);
  });

  test("serve the bytes with the recorded headers, whatever name the client puts into them", async () => {
    const { double, resource, bytes } = await one();
    for (const [name, echoed] of [
      [NAME, "%24%7Bf%7D"],
      ["$%7Bf%7D", "%24%7Bf%7D"],
      ["IMG_0001.JPG", "IMG_0001.JPG"],
    ] as const) {
      const response = await double.download(resource.downloadURL.replace(NAME, name));
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/octet-stream");
      expect(response.headers.get("content-length")).toBe(String(SIZE));
      expect(response.headers.get("accept-ranges")).toBe("bytes");
      expect(response.headers.get("content-disposition")).toBe(
        `attachment; filename="${echoed}"; filename*=UTF-8''${echoed}`,
      );
      expect(response.headers.get("cache-control")).toBe("no-transform,private,max-age=2592000,s-maxage=2592000");
      expect(response.headers.get("etag")).toBeNull();
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(await body(response)).toEqual(bytes);
    }
    expect(double.traffic).toEqual({ requests: 3, bytes: 3 * SIZE, withCookies: 0 });
  });

  test("die after their lifetime with 410 and are refused with 403 when anything in them changes", async () => {
    const { double, resource } = await one();
    const status = async (url: string) => (await double.download(url)).status;
    expect(await status(resource.downloadURL.replace("&y=1", "&y=2"))).toBe(403);
    expect(await status(resource.downloadURL.replace(/&e=(\d+)/, (_, e: string) => `&e=${Number(e) + 60}`))).toBe(403);
    expect(await status(resource.downloadURL.replace(/&s=./, "&s=-"))).toBe(403);
    expect(await status(resource.downloadURL.replace(/&s=.*/, ""))).toBe(400);
    expect(await status("https://cvws.icloud-content.com/elsewhere")).toBe(400);
    double.now += 3_599_000;
    expect(await status(resource.downloadURL)).toBe(200);
    double.now += 2_000;
    expect(await status(resource.downloadURL)).toBe(410);
  });

  test("live as long as is set", async () => {
    const { double } = await one();
    double.settings.urlLifetimeMs = 3_000;
    const page = await double.json("records/query", listBody(0));
    double.now += 3_001;
    expect((await double.download(resourceOf(page.records[0]).downloadURL)).status).toBe(410);
  });

  test("lead nowhere once the content is gone", async () => {
    const { double, resource } = await one();
    double.library.forget(resource.fileChecksum);
    expect((await double.download(resource.downloadURL)).status).toBe(404);
    await double.json("records/query", listBody(0));
    expect((await double.download(resource.downloadURL)).status).toBe(404);
  });
});

describe("ranges", () => {
  const cases: ReadonlyArray<readonly [string, number, string, number, number]> = [
    ["bytes=0-", 206, `bytes 0-4999/${SIZE}`, 0, SIZE],
    ["bytes=1200-", 206, `bytes 1200-4999/${SIZE}`, 1200, SIZE],
    ["bytes=4999-", 206, `bytes 4999-4999/${SIZE}`, 4999, SIZE],
    ["bytes=10-19", 206, `bytes 10-19/${SIZE}`, 10, 20],
    ["bytes=10-99999", 206, `bytes 10-4999/${SIZE}`, 10, SIZE],
    ["bytes=-100", 206, `bytes 4900-4999/${SIZE}`, 4900, SIZE],
  ];
  for (const [range, status, contentRange, start, end] of cases) {
    test(`${range} is answered with ${contentRange}`, async () => {
      const { double, resource, bytes } = await one();
      const response = await double.download(resource.downloadURL, { range });
      expect(response.status).toBe(status);
      expect(response.headers.get("content-range")).toBe(contentRange);
      expect(response.headers.get("content-length")).toBe(String(end - start));
      expect(await body(response)).toEqual(bytes.slice(start, end));
    });
  }

  test("a range at or beyond the end is 416 and says the size", async () => {
    const { double, resource } = await one();
    for (const range of [`bytes=${SIZE}-`, "bytes=99999-"]) {
      const response = await double.download(resource.downloadURL, { range });
      expect(response.status).toBe(416);
      expect(response.headers.get("content-range")).toBe(`bytes */${SIZE}`);
    }
  });

  test("several ranges, or nonsense, get the whole file", async () => {
    const { double, resource } = await one();
    for (const range of ["bytes=0-1,5-6", "lines=1-2", "bytes=9-2"]) {
      expect((await double.download(resource.downloadURL, { range })).status).toBe(200);
    }
  });
});

describe("every file of a library", () => {
  test("arrives with the bytes, size and checksum that its record tells", async () => {
    const library = createLibrary({ seed: 5, assets: 60 });
    const double = bench(library);
    const page = await double.json("records/query", listBody(0));
    const expected = new Map(expectedFiles(library, { renditions: "all" }).map((file) => [file.checksum, file]));
    const seen = new Set<string>();
    for (const record of page.records) {
      for (const [name, field] of Object.entries(record.fields)) {
        if (field.type !== "ASSETID") continue;
        const resource = resourceOf(record, name.slice(0, -"Res".length));
        const bytes = await body(await double.download(resource.downloadURL));
        expect(bytes.length).toBe(resource.size);
        expect(fileChecksum(bytes)).toBe(resource.fileChecksum);
        seen.add(resource.fileChecksum);
        // Derivatives of the master are not expected where the asset has edited ones.
        const file = expected.get(resource.fileChecksum);
        if (file !== undefined) expect(Buffer.compare(bytes, file.bytes())).toBe(0);
      }
    }
    expect([...expected.keys()].filter((checksum) => !seen.has(checksum))).toEqual([]);
  });
});

describe("faults on the wire", () => {
  const servers: WireServer[] = [];
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
  });

  /** The download over a real connection, with one fault. */
  async function faulty(fault: CdnFaultKind, headers: Record<string, string> = {}) {
    const { double, resource, bytes } = await one();
    const server = await serveWire({ fetch: (request) => double.cdn.fetch(request) });
    servers.push(server);
    const injected = double.cdnFaults.inject(fault);
    const get = (signal?: AbortSignal) =>
      fetch(resource.downloadURL.replace("https://cvws.icloud-content.com", server.origin), {
        headers,
        ...(signal === undefined ? {} : { signal }),
      });
    return { get, bytes, injected };
  }

  test("one flipped bit leaves everything else as it was, and only once", async () => {
    const { get, bytes, injected } = await faulty({ kind: "flip-bit" });
    const response = await get();
    expect(response.headers.get("content-length")).toBe(String(SIZE));
    const got = await body(response);
    expect(got.filter((byte, index) => byte !== bytes[index])).toHaveLength(1);
    expect(fileChecksum(got)).not.toBe(fileChecksum(bytes));
    expect(injected.hits).toBe(1);
    expect(await body(await get())).toEqual(bytes);
  });

  test("a truncated body with its full length promised breaks the connection", async () => {
    const { get } = await faulty({ kind: "truncate", bytes: 1_000, contentLength: true });
    const response = await get();
    expect(response.headers.get("content-length")).toBe(String(SIZE));
    expect(await outcome(response.arrayBuffer())).toBe("broken");
  });

  test("a truncated body without a length ends like a good one", async () => {
    const { get, bytes } = await faulty({ kind: "truncate", bytes: 1_000, contentLength: false });
    const response = await get();
    expect(response.headers.get("content-length")).toBeNull();
    expect(await body(response)).toEqual(bytes.slice(0, 1_000));
  });

  test("a reset breaks the connection after some bytes", async () => {
    const { get } = await faulty({ kind: "reset", afterBytes: 1_000 });
    const response = await get();
    expect(await outcome(response.arrayBuffer())).toBe("broken");
  });

  test("a stall sends some bytes and then nothing", async () => {
    const { get } = await faulty({ kind: "stall", afterBytes: 1_000 });
    const control = new AbortController();
    const reader = (await get(control.signal)).body?.getReader();
    expect((await reader?.read())?.value?.length).toBe(1_000);
    const next = reader?.read();
    control.abort();
    expect(await outcome(next)).toBe("broken");
  });

  test("a drip arrives whole", async () => {
    const { get, bytes } = await faulty({ kind: "drip", bytes: 1_500, intervalMs: 1 });
    const response = await get();
    expect(response.headers.get("content-length")).toBe(String(SIZE));
    expect(await body(response)).toEqual(bytes);
  });

  test("chunked answers have no length, short and long ones a consistent wrong one", async () => {
    const chunked = await (await faulty({ kind: "chunked" })).get();
    expect([chunked.headers.get("content-length"), (await body(chunked)).length]).toEqual([null, SIZE]);
    const short = await (await faulty({ kind: "short-length", by: 7 })).get();
    expect([short.headers.get("content-length"), (await body(short)).length]).toEqual([String(SIZE - 7), SIZE - 7]);
    const long = await (await faulty({ kind: "long-body", by: 7 })).get();
    expect((await body(long)).length).toBe(SIZE + 7);
  });

  test("error pages come as 200, with and without an honest type", async () => {
    const html = await (await faulty({ kind: "html" })).get();
    expect([html.status, html.headers.get("content-type")]).toEqual([200, "text/html; charset=UTF-8"]);
    expect(await html.text()).toStartWith("<!DOCTYPE html>");
    const lying = await (await faulty({ kind: "json", contentType: "application/octet-stream" })).get();
    expect(lying.headers.get("content-type")).toBe("application/octet-stream");
    expect(await lying.text()).toStartWith('{"error"');
    expect((await body(await (await faulty({ kind: "tiny" })).get())).length).toBe(17);
    expect((await body(await (await faulty({ kind: "empty" })).get())).length).toBe(0);
  });

  test("statuses come with Retry-After, redirects with a place", async () => {
    const throttled = await (await faulty({ kind: "status", status: 503, retryAfter: 7 })).get();
    expect([throttled.status, throttled.headers.get("retry-after")]).toEqual([503, "7"]);
    const { double, resource } = await one();
    double.cdnFaults.inject({ kind: "redirect", location: "https://example.org/" });
    const redirect = await double.download(resource.downloadURL);
    expect([redirect.status, redirect.headers.get("location")]).toEqual([302, "https://example.org/"]);
  });

  test("ranges can be ignored, shifted, lied about or garbled", async () => {
    const range = { range: "bytes=1000-" };
    const ignored = await (await faulty({ kind: "ignore-range" }, range)).get();
    expect([ignored.status, ignored.headers.get("content-range"), (await body(ignored)).length]).toEqual([
      200,
      null,
      SIZE,
    ]);
    const shifted = await faulty({ kind: "shifted-range", by: -10 }, range);
    const answer = await shifted.get();
    expect([answer.status, answer.headers.get("content-range")]).toEqual([206, `bytes 990-4999/${SIZE}`]);
    expect(await body(answer)).toEqual(shifted.bytes.slice(990));
    const lying = await faulty({ kind: "lying-range", by: 3 }, range);
    const lie = await lying.get();
    expect(lie.headers.get("content-range")).toBe(`bytes 1000-4999/${SIZE}`);
    expect((await body(lie))[0]).toBe(lying.bytes[1003]);
    const garbled = await (await faulty({ kind: "bad-content-range", value: "bytes nonsense" }, range)).get();
    expect(garbled.headers.get("content-range")).toBe("bytes nonsense");
    const missing = await (await faulty({ kind: "bad-content-range" }, range)).get();
    expect([missing.status, missing.headers.get("content-range")]).toEqual([206, null]);
  });

  test("faults choose their requests by asset and rendition, skip some, and end", async () => {
    const library = new PhotoLibrary();
    const [first, second] = [library.addAsset({ content: 100, filename: "a" }), library.addAsset({ content: 101 })];
    const double = bench(library);
    const page = await double.json("records/query", listBody(0));
    const url = (name: string) => resourceOf(page.records.find((record) => record.recordName === name)).downloadURL;
    const status = async (name: string) => (await double.download(url(name))).status;
    const fault = double.cdnFaults.inject({
      kind: "status",
      status: 500,
      match: (request) => request.assetIds.includes(first?.id ?? "") && request.prefix === "resOriginal",
      skip: 1,
      times: 2,
    });
    const a = first?.masterName ?? "";
    expect(await status(second?.masterName ?? "")).toBe(200);
    expect([await status(a), await status(a), await status(a), await status(a)]).toEqual([200, 500, 500, 200]);
    expect(fault.hits).toBe(2);
    double.cdnFaults.decide = (request) => (request.earlier > 3 ? { kind: "tiny" } : undefined);
    expect((await body(await double.download(url(a)))).length).toBe(17);
    double.cdnFaults.clear();
    expect(await status(a)).toBe(200);
  });
});
