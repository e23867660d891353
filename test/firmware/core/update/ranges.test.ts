// What a server, or a proxy, makes of a request for a part of the image. Kind: an answer that is not this part, whatever the reason, leads
// once to the whole image, which needs no parts; an unusual one that is this part is taken.

import { expect } from "chai";
import type { UpdateErrorCode } from "../../../../firmware/core/errors.js";
import { retryLater } from "../../../../firmware/core/update/retry.js";
import { type Answer, Download, type DownloadOptions } from "../download.js";
import { inPhase, JOB, jobOf } from "../update-phases.js";

const SIZE = 7 * 4096 + 1600;
const NO_BODY = new Uint8Array(0);
const streaming = inPhase("streaming");
const failure = (code: UpdateErrorCode) => ({ code, message: "no" });
const ranged = (honest: Answer, range: string): Answer => ({
  ...honest,
  headers: { "content-range": range },
});

/** Every byte from here on is another. */
const flipped = (honest: Answer, at: number): Answer => ({
  ...honest,
  body: honest.body.map((byte, index) => (index < at ? byte : byte ^ 1)),
});

/** Its request is for a part, because the slot holds something of it already. */
const resumed = (lie: DownloadOptions["lie"], options: Partial<DownloadOptions> = {}) =>
  new Download({ sizeBytes: SIZE, thereBytes: 4096, ...(lie ? { lie } : {}), ...options }).run();
const PART = `/image bytes=4096-${SIZE - 1}`;

describe("a range that is refused or misanswered", () => {
  const wrong: Readonly<Record<string, (honest: Answer) => Answer>> = {
    "416": () => ({ status: 416, headers: { "content-range": `bytes */${SIZE}` }, body: NO_BODY }),
    "200 with the whole image": (honest) => ({ ...honest, status: 200, headers: {} }),
    "206 of another part": (honest) => ranged(honest, `bytes 0-${SIZE - 4097}/${SIZE}`),
    "206 of another file": (honest) => ranged(honest, `bytes 4096-${SIZE - 1}/${SIZE + 1}`),
    "206 without a range": (honest) => ({ ...honest, headers: {} }),
    "206 with a malformed range": (honest) => ranged(honest, "bytes 4096-"),
    "206 of several parts": (honest) => ({ ...honest, headers: { "content-type": "multipart/byteranges" } }),
    "206 whose length contradicts its range": (honest) => ({
      ...honest,
      headers: { ...honest.headers, "content-length": "5" },
    }),
    "206 of ten bytes": (honest) => ({
      ...ranged(honest, `bytes 4096-4105/${SIZE}`),
      body: honest.body.slice(0, 10),
    }),
    "304": () => ({ status: 304, body: NO_BODY }),
    "412": () => ({ status: 412, body: NO_BODY }),
    "400": () => ({ status: 400, body: NO_BODY }),
    "403": () => ({ status: 403, body: NO_BODY }),
    "404": () => ({ status: 404, body: NO_BODY }),
    "204": () => ({ status: 204, body: NO_BODY }),
    "300": () => ({ status: 300, body: NO_BODY }),
  };
  for (const [what, answer] of Object.entries(wrong))
    it(`leads to the whole image at once: ${what}`, () => {
      const download = resumed(({ path, range }, honest) =>
        path === "/image" && range !== undefined ? answer(honest) : honest,
      );
      expect(download.asked.filter((path) => path !== "/digests")).deep.equal([PART, "/image"]);
      expect(download.outcome).equal("restarting");
      expect(download.flash.slice(0, SIZE)).deep.equal(download.image);
      expect(download.reports.filter(({ status }) => status === "failed")).deep.equal([]);
    });

  const silent: Readonly<Record<string, (honest: Answer) => Answer>> = {
    "an error of the server": (honest) => ({ ...honest, status: 500 }),
    "a proxy without its server": (honest) => ({ ...honest, status: 502 }),
    "other bytes than its range says": (honest) => flipped(honest, 5),
    nothing: (honest) => ({ ...honest, endsAfter: 0 }),
  };
  for (const [what, answer] of Object.entries(silent))
    it(`leads to the whole image after three tries: ${what}`, () => {
      const download = resumed(({ path, range }, honest) =>
        path === "/image" && range !== undefined ? answer(honest) : honest,
      );
      expect(download.asked.filter((path) => path !== "/digests")).deep.equal([PART, PART, PART, "/image"]);
      expect(download.outcome).equal("restarting");
      expect(download.flash.slice(0, SIZE)).deep.equal(download.image);
    });

  it("costs a bounded number of requests if the whole image breaks off each time too", () => {
    const download = resumed(({ path, range }, honest) =>
      path === "/image"
        ? range === undefined
          ? { ...honest, endsAfter: 20_000 }
          : { ...honest, status: 416 }
        : honest,
    );
    expect(download.asked.filter((path) => path !== "/digests")).deep.equal([
      PART,
      ...Array(4).fill("/image"),
    ]);
    expect(download.outcome).equal("BODY_TRUNCATED");
    expect(download.state.refused, "worth another attempt").equal(undefined);
  });

  it("is not blamed on parts while there is no connection at all", () => {
    const [first] = retryLater(streaming, JOB, failure("CONNECT_FAILED"), 0.5);
    const [again] = retryLater(first, { ...jobOf(first), failureCount: 2 }, failure("CONNECT_FAILED"), 0.5);
    expect(jobOf(again)).include({ failureCount: 3, wholeOnly: false });
  });

  it("of an image that is wrong as a whole does not refuse the release for good", () => {
    const download = resumed(
      ({ path, range }, honest) =>
        path !== "/image"
          ? honest
          : range === undefined
            ? flipped(honest, 300_000)
            : { ...honest, status: 416 },
      { sizeBytes: 300_016 },
    );
    expect(download.outcome).equal("IMAGE_MISMATCH");
    expect(download.state.refused).equal(undefined);
  });
});

describe("an unusual answer that is right is taken", () => {
  const right: Readonly<Record<string, (honest: Answer) => Answer>> = {
    "a range in other writing": (honest) => ranged(honest, `BYTES  4096 - ${SIZE - 1} / *`),
    "a part without a length": (honest) => ({ ...honest, isUnannounced: true }),
    "a part without a length, with more behind it": (honest) => ({
      ...honest,
      isUnannounced: true,
      body: Uint8Array.from([...honest.body, 1, 2, 3]),
    }),
  };
  for (const [what, answer] of Object.entries(right))
    it(what, () => {
      const download = resumed(({ path, range }, honest) =>
        path === "/image" && range !== undefined ? answer(honest) : honest,
      );
      expect(download.asked.filter((path) => path !== "/digests")).deep.equal([PART]);
      expect(download.outcome).equal("restarting");
      expect(download.flash.slice(0, SIZE)).deep.equal(download.image);
    });

  it("a whole image without a length, as far as it was signed", () => {
    const download = new Download({
      sizeBytes: SIZE,
      lie: ({ path }, honest) =>
        path === "/image"
          ? { ...honest, isUnannounced: true, body: Uint8Array.from([...honest.body, ...honest.body]) }
          : honest,
    }).run();
    expect(download.asked).deep.equal(["/digests", "/image"]);
    expect(download.outcome).equal("restarting");
    expect(download.flash[SIZE]).not.equal(download.image[0]);
  });

  it("parts that are shorter than requested, one after the other, each from where the last one ended", () => {
    for (const count of [4096, 5000, 8192]) {
      const download = resumed(({ path, range }, honest) => {
        const start = Number(/\d+/.exec(range ?? "")?.[0]);
        const end = Math.min(SIZE, start + count);
        if (path !== "/image" || range === undefined) return honest;
        return {
          ...ranged(honest, `bytes ${start}-${end - 1}/${SIZE}`),
          body: honest.body.slice(0, end - start),
        };
      });
      expect(download.outcome, `${count}`).equal("restarting");
      expect(download.flash.slice(0, SIZE)).deep.equal(download.image);
      expect(download.asked.filter((path) => path !== "/digests").length).equal(
        Math.ceil((SIZE - 4096) / count),
      );
      expect(download.dirtyWriteCount).equal(0);
    }
  });
});
