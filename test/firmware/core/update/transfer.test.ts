// The transfer of an image from the network into the flash, piece by piece and chunk by chunk.

import { expect } from "chai";
import { type Answer, Download, type DownloadOptions } from "../download.js";

/** Seven chunks of 4 KiB and a short one; a multiple of 16, as an image is. */
const SIZE = 7 * 4096 + 1600;

const downloaded = (options: Partial<DownloadOptions> = {}) =>
  new Download({ sizeBytes: SIZE, ...options }).run();

/** The image's answer is changed, those with digests are not. */
const onImage = (change: (honest: Answer) => Answer): Pick<DownloadOptions, "lie"> => ({
  lie: ({ path }, honest) => (path === "/image" ? change(honest) : honest),
});

const flipped = (honest: Answer, at: number): Answer => {
  const body = honest.body.slice();
  body[at] = (body[at] ?? 0) ^ 1;
  return { ...honest, body };
};

describe("transfer of an image", () => {
  it("ends with the image in the slot, whether the release lists chunks or pages", () => {
    for (const listsChunks of [true, false]) {
      const download = downloaded({ listsChunks });
      expect(download.outcome).equal("restarting");
      expect(download.flash.slice(0, SIZE)).deep.equal(download.image);
    }
  });

  it("erases each sector once, before its first write, and none behind the image", () => {
    const download = downloaded();
    const erased = download.effects.flatMap((effect) => (effect.type === "eraseSlot" ? [effect.offset] : []));
    expect(erased).deep.equal([0, 1, 2, 3, 4, 5, 6, 7].map((sector) => sector * 4096));
    expect(download.dirtyWriteCount).equal(0);
  });

  it("erases whole blocks where the image fills them, and the sectors behind them one by one", () => {
    const download = downloaded({ sizeBytes: 2 * 65_536 + 5_008 });
    const erased = download.effects.flatMap((effect) =>
      effect.type === "eraseSlot" ? [`${effect.offset}+${effect.length}`] : [],
    );
    expect(erased).deep.equal(["0+65536", "65536+65536", "131072+4096", "135168+4096"]);
    expect(download.outcome).equal("restarting");
    expect(download.dirtyWriteCount).equal(0);
  });

  it("erases after a failed try what that try has written, and not the rest of the block again", () => {
    let isFirst = true;
    const download = downloaded({
      sizeBytes: 2 * 65_536,
      fault: (effect) => {
        if (effect.type !== "writeSlot" || effect.offset !== 5 * 4096 || !isFirst) return undefined;
        isFirst = false;
        return { type: "responseEnded", attempt: effect.attempt };
      },
    });
    const erased = download.effects.flatMap((effect) =>
      effect.type === "eraseSlot" ? [`${effect.offset}+${effect.length}`] : [],
    );
    expect(erased).deep.equal(["0+65536", "20480+4096", "65536+65536"]);
    expect(download.outcome).equal("restarting");
    expect(download.dirtyWriteCount).equal(0);
  });

  it("never writes past the size that the release promises, nor more than a sector at once", () => {
    const download = downloaded();
    const writes = download.effects.flatMap((effect) =>
      effect.type === "writeSlot" ? [[effect.offset, effect.bytes.length] as const] : [],
    );
    expect(writes.reduce((end, [offset, length]) => (offset === end ? end + length : -1), 0)).equal(SIZE);
    expect(Math.max(...writes.map(([, length]) => length))).at.most(4096);
  });

  it("reads the next piece only when the last one has been written", () => {
    const download = downloaded({ listsChunks: true });
    const order = download.types.filter((type) => ["readResponse", "writeSlot", "hashSlot"].includes(type));
    const streamed = order.slice(order.indexOf("readResponse"));
    for (const [i, type] of streamed.entries())
      if (type === "writeSlot") expect(streamed[i - 1], `write ${i}`).equal("readResponse");
  });

  it("reads each complete chunk back from the flash", () => {
    const download = downloaded({ listsChunks: true });
    const hashes = download.effects.flatMap((effect) =>
      effect.type === "hashSlot" ? [`${effect.offset}+${effect.length}`] : [],
    );
    // the first is the check of what the slot holds, the last the check of the whole image
    expect(hashes).deep.equal([
      "0+4096",
      ...[0, 1, 2, 3, 4, 5, 6].map((chunk) => `${chunk * 4096}+4096`),
      "28672+1600",
      `0+${SIZE}`,
    ]);
  });

  it("fetches a chunk again that is wrong in the flash, and only what is not verified", () => {
    let isFirst = true;
    const download: Download = new Download({
      sizeBytes: SIZE,
      listsChunks: true,
      fault: (effect) => {
        if (effect.type !== "writeSlot" || effect.offset !== 2 * 4096 || !isFirst) return undefined;
        isFirst = false;
        const { attempt, offset, bytes } = effect;
        return { type: "slotWritten", attempt, offset, length: bytes.length }; // and is not
      },
    });
    download.run();
    expect(download.asked).deep.equal(["/image", `/image bytes=8192-${SIZE - 1}`]);
    expect(download.logs.join()).include("bytes 8192 to 12287 do not have the digest in the release");
    expect(download.outcome).equal("restarting");
    expect(download.flash.slice(0, SIZE)).deep.equal(download.image);
  });

  it("never arms a slot with a chunk that is not the signed one", () => {
    for (const at of [0x100, 5 * 4096 + 7, SIZE - 1]) {
      const download = downloaded({ listsChunks: true, ...onImage((honest) => flippedAt(honest, at)) });
      expect(download.outcome).equal("CHUNK_MISMATCH");
      expect(download.types).not.include("armSlot");
    }
  });

  it("refuses a length that is not the signed one, before anything is erased", () => {
    const withHeaders = (headers: Record<string, string>) => onImage((honest) => ({ ...honest, headers }));
    const answers: readonly (readonly [string, Pick<DownloadOptions, "lie">, RegExp])[] = [
      ["BODY_TRUNCATED", withHeaders({ "content-length": `${SIZE + 1}` }), /announces 30273 bytes/],
      ["BODY_TRUNCATED", withHeaders({ "content-length": `${SIZE - 1}` }), /announces 30271 bytes/],
      ["HTTP_STATUS", onImage((honest) => ({ ...honest, status: 503 })), /server answered 503/],
    ];
    for (const [code, lie, message] of answers) {
      const download = downloaded(lie);
      expect(download.outcome).equal(code);
      expect(download.logs.join()).match(message);
      expect(download.erasedCount).equal(0);
    }
  });

  it("continues after a broken connection where the last verified chunk ends", () => {
    let isFirst = true;
    const download = downloaded({
      listsChunks: true,
      ...onImage((honest) => {
        const endsAfter = isFirst ? 3 * 4096 + 100 : honest.body.length;
        isFirst = false;
        return { ...honest, endsAfter };
      }),
    });
    expect(download.asked).deep.equal(["/image", `/image bytes=12288-${SIZE - 1}`]);
    expect(download.logs.join()).match(/connection ended at byte 12388 of 30272 \[BODY_TRUNCATED\]/);
    expect(download.outcome).equal("restarting");
  });

  it("reports its progress in tenths, each once", () => {
    const download = new Download({ sizeBytes: 40 * 4096 }).run();
    const progress = download.reports.filter(({ step }) => step === "downloading");
    expect(
      progress.map(({ bytes_downloaded: bytes = 0 }) => Math.floor((10 * bytes) / (40 * 4096))),
    ).deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("erases nothing for an unchecked image that is for another chip or version", () => {
    const unchecked = { digestsUrl: undefined };
    const otherChip = downloaded({ ...unchecked, alter: (image) => image.set([5], 12) });
    expect(otherChip.outcome).equal("WRONG_CHIP");
    expect(otherChip.erasedCount).equal(0);
    const otherVersion = downloaded({ ...unchecked, alter: (image) => image.set([0x32], 48) });
    expect(otherVersion.outcome).equal("IMAGE_MISMATCH");
    expect(otherVersion.erasedCount).equal(0);
    expect(otherVersion.asked, "not tried again").length(1);
  });

  it("ends when a checked chunk shows another version than the release", () => {
    const download = downloaded({ listsChunks: true, alter: (image) => image.set([0x32], 48) });
    expect(download.outcome).equal("IMAGE_MISMATCH");
    expect(download.logs.join()).include("image says version 2.1.0, its release says 1.1.0");
    expect(download.asked).length(1);
  });
});

/** The byte at this offset of the image is wrong, in whatever part it is sent. */
const flippedAt = (honest: Answer, at: number): Answer => {
  const start = Number(/bytes (\d+)-/.exec(honest.headers?.["content-range"] ?? "")?.[1] ?? 0);
  return at < start ? honest : flipped(honest, at - start);
};
