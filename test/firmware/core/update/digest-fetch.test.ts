// A download whose digests come in pages: what is requested, in which order, and how wrong answers are handled.

import { expect } from "chai";
import { type Answer, Download, type DownloadOptions, partOf } from "../download.js";

/** Chunks of 4 KiB: a page is of 256 KiB. */
const PAGE = 64 * 4096;
/** Three pages, the last of two chunks, the second of them short. */
const SIZE = 2 * PAGE + 4096 + 112;

const downloaded = (options: Partial<DownloadOptions> = {}) =>
  new Download({ sizeBytes: SIZE, ...options }).run();

const changed = ({ body, ...rest }: Answer, at: number): Answer => {
  const other = body.slice();
  other[at] = (other[at] ?? 0) ^ 1;
  return { ...rest, body: other };
};

describe("digests in pages", () => {
  it("are fetched one page after the other, each before the chunks that it is of, over one connection at a time", () => {
    const download = downloaded();
    expect(download.asked).deep.equal([
      "/digests bytes=0-2047",
      `/image bytes=0-${PAGE - 1}`,
      "/digests bytes=2048-4095",
      `/image bytes=${PAGE}-${2 * PAGE - 1}`,
      "/digests bytes=4096-4159",
      `/image bytes=${2 * PAGE}-${SIZE - 1}`,
    ]);
    expect(download.outcome).equal("restarting");
    expect(download.flash.slice(0, SIZE)).deep.equal(download.image);
    expect(download.largestCollected).equal(2048);
  });

  it("need no range if there is one page", () => {
    const download = downloaded({ sizeBytes: PAGE });
    expect(download.asked).deep.equal(["/digests", "/image"]);
    expect(download.outcome).equal("restarting");
  });

  it("are fetched for what the slot already holds, which is not fetched again", () => {
    const download = downloaded({ thereBytes: PAGE + 3 * 4096 + 5 });
    expect(download.asked).deep.equal([
      "/digests bytes=0-2047",
      "/digests bytes=2048-4095",
      `/image bytes=${PAGE + 3 * 4096}-${2 * PAGE - 1}`,
      "/digests bytes=4096-4159",
      `/image bytes=${2 * PAGE}-${SIZE - 1}`,
    ]);
    expect(download.outcome).equal("restarting");
  });

  it("of an image that the slot holds already are fetched, and nothing else", () => {
    const download = downloaded({ thereBytes: SIZE });
    expect(download.asked).deep.equal([
      "/digests bytes=0-2047",
      "/digests bytes=2048-4095",
      "/digests bytes=4096-4159",
    ]);
    expect(download.outcome).equal("restarting");
    expect(download.erasedCount).equal(0);
  });

  it("are resumed after a broken connection, at a page too", () => {
    const broken = new Set(["/digests bytes=2048-4095", `/image bytes=${PAGE}-${2 * PAGE - 1}`]);
    const download = downloaded({
      lie: ({ path, range }, honest) => {
        const isFirst = broken.delete(`${path} ${range}`);
        return isFirst ? { ...honest, endsAfter: 7 } : honest;
      },
    });
    expect(download.asked.slice(2)).deep.equal([
      "/digests bytes=2048-4095",
      "/digests bytes=2048-4095",
      `/image bytes=${PAGE}-${2 * PAGE - 1}`,
      `/image bytes=${PAGE}-${2 * PAGE - 1}`,
      "/digests bytes=4096-4159",
      `/image bytes=${2 * PAGE}-${SIZE - 1}`,
    ]);
    expect(download.outcome).equal("restarting");
  });

  it("that are not what was signed are tried again; then the whole image does without them", () => {
    let count = 0;
    const download = downloaded({
      lie: ({ path, range }, honest) => {
        if (path !== "/digests" || range !== "bytes=2048-4095") return honest;
        count += 1;
        return changed(honest, 2000);
      },
    });
    expect(count).equal(3);
    expect(download.logs.join()).include("page 1 of the digests does not have the hash in the release");
    expect(download.asked.at(-1)).equal("/image");
    expect(download.outcome).equal("restarting");
  });

  it("are what chunks are checked against", () => {
    const download = downloaded({
      lie: ({ path, range }, honest) =>
        path === "/image" && range?.startsWith(`bytes=${PAGE}-`) ? changed(honest, 50) : honest,
    });
    expect(download.logs.join()).match(new RegExp(`bytes ${PAGE} to ${PAGE + 4095} do not have`));
    expect(download.asked.slice(3)).deep.equal([
      `/image bytes=${PAGE}-${2 * PAGE - 1}`,
      `/image bytes=${PAGE}-${2 * PAGE - 1}`,
      `/image bytes=${PAGE}-${2 * PAGE - 1}`,
      "/image",
    ]);
    expect(download.outcome).equal("restarting");
  });

  it("are not read from a server that is out of order", () => {
    const download = downloaded({
      lie: ({ path }, honest) => (path === "/digests" ? { ...honest, status: 503 } : honest),
    });
    expect(download.logs.join()).include("server answered 503 to a request for bytes 0 to 2047 of 4160");
    expect(download.largestCollected).equal(0);
  });

  it("are given up for the whole image where a server has no parts of them", () => {
    const answers: readonly ((honest: Answer) => Answer)[] = [
      () => ({ status: 404, body: new Uint8Array(3) }),
      () => ({ status: 416, body: new Uint8Array(0) }),
      (honest) => ({ ...honest, body: honest.body.slice(1) }),
      (honest) => ({ ...honest, headers: { ...honest.headers, "content-length": "7" } }),
      (honest) => ({ ...honest, headers: { "content-range": "bytes 0-2047/4096" } }),
      (honest) => ({ ...honest, headers: { "content-range": "bytes 1-2048/4160" } }),
      (honest) => ({ ...honest, headers: {} }),
    ];
    for (const answer of answers) {
      const download = downloaded({
        lie: ({ path }, honest) => (path === "/digests" ? answer(honest) : honest),
      });
      expect(download.asked).deep.equal(["/digests bytes=0-2047", "/image"]);
      expect(download.largestCollected).equal(0);
      expect(download.outcome).equal("restarting");
    }
  });

  it("without a length are read as far as they were signed", () => {
    const download = downloaded({
      lie: ({ path }, honest) =>
        path === "/digests"
          ? { ...honest, isUnannounced: true, body: Uint8Array.from([...honest.body, 1, 2, 3]) }
          : honest,
    });
    expect(download.outcome).equal("restarting");
    expect(download.largestCollected).equal(2048);
  });

  it("without a length that end too early are tried again", () => {
    let count = 0;
    const download = downloaded({
      lie: ({ path }, honest) =>
        path === "/digests" && count++ === 0 ? { ...honest, isUnannounced: true, endsAfter: 2047 } : honest,
    });
    expect(download.asked.slice(0, 2)).deep.equal(["/digests bytes=0-2047", "/digests bytes=0-2047"]);
    expect(download.logs.join()).include("BODY_TRUNCATED");
    expect(download.outcome).equal("restarting");
  });

  it("of the image's own parts are checked against the signed size", () => {
    const download = downloaded({
      lie: ({ path, range }, honest) =>
        path === "/image" && range !== undefined
          ? { ...honest, headers: { "content-range": `${range.replace("=", " ")}/${SIZE + 1}` } }
          : honest,
    });
    expect(download.asked).deep.equal(["/digests bytes=0-2047", `/image bytes=0-${PAGE - 1}`, "/image"]);
    expect(download.outcome).equal("restarting");
  });

  it("are not used where the server ignores ranges: the whole image is fetched and checked as a whole", () => {
    const download: Download = new Download({
      sizeBytes: SIZE,
      lie: ({ path, range }, honest) => (range === undefined ? honest : ignoring(download, path)),
    });
    download.run();
    expect(download.asked).deep.equal(["/digests bytes=0-2047", "/image"]);
    expect(download.outcome).equal("restarting");
    expect(download.flash.slice(0, SIZE)).deep.equal(download.image);
  });

  it("are not used where an offer has no URL for them", () => {
    const download = downloaded({ digestsUrl: undefined });
    expect(download.asked).deep.equal(["/image"]);
    expect(download.outcome).equal("restarting");
  });

  it("that are not used cost a download from the beginning when the connection breaks", () => {
    let count = 0;
    const download = downloaded({
      digestsUrl: undefined,
      lie: (_, honest) => {
        count += 1;
        return count === 1 ? { ...honest, endsAfter: 300_000 } : honest;
      },
    });
    expect(download.asked).deep.equal(["/image", "/image"]);
    expect(download.outcome).equal("restarting");
  });

  it("that are not used let no image be armed that is not the signed one", () => {
    const download = downloaded({
      digestsUrl: undefined,
      lie: (_, honest) => changed(honest, 300_000),
    });
    expect(download.outcome).equal("IMAGE_MISMATCH");
  });
});

/** All of the file, whatever was requested. */
const ignoring = (download: Download, path: string): Answer =>
  partOf(path === "/digests" ? download.digests : download.image, undefined);
