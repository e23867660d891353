// The installation around the transfer: resuming, the check of the whole image, the record, the arming.

import { expect } from "chai";
import { RECORD_KEY, readRecord } from "../../../../firmware/core/update/record.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { Download, type DownloadOptions, hex } from "../download.js";
import { stamped } from "../events.js";

const SIZE = 7 * 4096 + 1600;

const installed = (options: Partial<DownloadOptions> = {}) =>
  new Download({ sizeBytes: SIZE, listsChunks: true, ...options }).run();

/** Records as they were stored, in order. */
const recordsOf = ({ effects }: Download) =>
  effects.flatMap((effect) =>
    effect.type === "store" && effect.key === RECORD_KEY ? [readRecord(effect.value)!] : [],
  );

describe("installation", () => {
  it("fetches only what the slot does not hold yet", () => {
    const download = installed({ thereBytes: 3 * 4096 + 50 });
    expect(download.asked).deep.equal([`/image bytes=12288-${SIZE - 1}`]);
    expect(download.logs).include(`resuming at byte 12288 of ${SIZE}`);
    expect(download.outcome).equal("restarting");
  });

  it("starts at the first wrong chunk, whatever is behind it", () => {
    const download = new Download({ sizeBytes: SIZE, listsChunks: true, thereBytes: SIZE });
    download.flash[2 * 4096 + 9] = (download.flash[2 * 4096 + 9] ?? 0) ^ 0x10;
    download.run();
    expect(download.asked).deep.equal([`/image bytes=8192-${SIZE - 1}`]);
    expect(download.outcome).equal("restarting");
    expect(download.flash.slice(0, SIZE)).deep.equal(download.image);
  });

  it("requests nothing where the slot holds all of the image, and still checks it as a whole", () => {
    const download = installed({ thereBytes: SIZE });
    expect(download.asked).deep.equal([]);
    expect(download.erasedCount).equal(0);
    const last = download.effects.findLast((effect) => effect.type === "hashSlot");
    expect(last).include({ offset: 0, length: SIZE });
    expect(download.outcome).equal("restarting");
  });

  it("arms the slot only when the whole image has the signed SHA-256", () => {
    const sha256 = "0".repeat(64);
    const download = installed({ manifest: { sha256 } });
    expect(download.outcome).equal("IMAGE_MISMATCH");
    expect(download.types).not.include("armSlot");
    expect(download.logs.at(-1)).include(`expected is ${sha256}`);
    expect(download.state.refused, "another download would not help").include({ firmwareId: 7 });
  });

  it("checks each chunk again when the whole is wrong, three times, without another request", () => {
    const download = installed({ manifest: { sha256: "0".repeat(64) } });
    const wholeCount = download.effects.filter(
      (effect) => effect.type === "hashSlot" && effect.offset === 0 && effect.length === SIZE,
    ).length;
    expect(wholeCount).equal(4);
    expect(download.asked).deep.equal(["/image"]);
    expect(download.logs.filter((line) => line.endsWith("checking each chunk again"))).length(3);
  });

  it("fetches what turns out to be wrong then", () => {
    let wholeCount = 0;
    const download: Download = new Download({
      sizeBytes: SIZE,
      listsChunks: true,
      fault: (effect) => {
        if (effect.type !== "hashSlot" || effect.length !== SIZE || wholeCount++ > 0) return undefined;
        // a marginal bit reads differently from now on
        download.flash[5 * 4096] = (download.flash[5 * 4096] ?? 0) ^ 1;
        return undefined;
      },
    });
    download.run();
    expect(download.asked).deep.equal(["/image", `/image bytes=20480-${SIZE - 1}`]);
    expect(download.outcome).equal("restarting");
  });

  it("stores what it is about to arm, and that it is armed, in this order", () => {
    const download = installed();
    const order = download.types.slice(download.types.lastIndexOf("hashSlot"));
    expect(order).deep.equal([
      "hashSlot",
      "reportMade",
      "forget",
      "store",
      "armSlot",
      "store",
      "reportMade",
      "setTimer",
      "forget",
    ]);
    const record = {
      from: "server",
      firmwareId: 7,
      version: "1.1.0",
      build: 0,
      imageSha256: "c".repeat(64),
      slot: "ota_0",
      powerLosses: 0,
    };
    expect(recordsOf(download)).deep.equal([record, { ...record, armed: true }]);
    expect(download.reports.slice(-2).map(({ step }) => step)).deep.equal(["verifying", "armed"]);
  });

  it("restarts two seconds later, for the report, and then only by its timer", () => {
    const download = installed();
    const timer = download.effects.find((effect) => effect.type === "setTimer" && effect.timer === "restart");
    expect(timer).property("delayMs").equal(2_000);
    expect(download.types).not.include("restart");
    const [, effects] = updateStep(download.state, stamped({ type: "timerFired", timer: "restart" }));
    expect(effects).deep.equal([{ type: "restart", reason: "update" }]);
  });

  it("of a pushed image has no firmware id, and what an unsigned image says of itself", () => {
    const download = new Download({ sizeBytes: SIZE }).push();
    expect(recordsOf(download)[0]).deep.equal({
      from: "push",
      firmwareId: 0,
      version: "1.1.0",
      build: 0,
      imageSha256: hex(download.image.slice(-32)),
      slot: "ota_0",
      powerLosses: 0,
    });
    expect(download.reports).deep.equal([]);
  });
});

describe("an installation whose record cannot be stored", () => {
  // the kind: something must not happen before something else is stored, and the store has no room
  it("ends before the slot is armed, with the reason", () => {
    const download = installed({
      fault: (effect) =>
        effect.type === "save"
          ? { type: "saveFailed", purpose: effect.purpose, message: "the settings partition is full" }
          : undefined,
    });
    expect(download.outcome).equal("FLASH_FAILED");
    expect(download.types).not.include("armSlot");
    expect(download.reports.at(-1)?.error_message).equal(
      "the record of the installation cannot be stored: the settings partition is full",
    );
  });
});
