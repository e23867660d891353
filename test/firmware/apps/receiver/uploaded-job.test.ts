// What is made of images that were uploaded to a receiver, or why it cannot be.

import { expect } from "chai";
import {
  type Devices,
  type Hindrance,
  type Stock,
  uploadedJob,
  uploadedOffer,
} from "../../../../firmware/apps/receiver/core/uploaded-job.js";
import { uploadedImage } from "../../../../firmware/core/gateway/cached-image.js";
import type { SystemJob } from "../../../../firmware/core/system/vocabulary.js";
import { PEER } from "../../core/events.js";
import { jws, PAGED } from "../../core/releases.js";

const imageOf = (change: object = {}) =>
  uploadedImage(jws({ ...PAGED, type: "transmitter", version: "1.1.0", ...change }))!;
const STAGED = {
  from: "push",
  version: "1.1.0",
  build: 0,
  imageSha256: "d".repeat(64),
  size: 50_000,
  protocolVersion: 1,
  minCompatible: "1.0.0",
} as const;
const RUNNING = {
  firmwareVersion: 10_000,
  protocolVersion: 1,
  minCompatible: 10_000,
  deviceType: "receiver",
  buildDate: "",
  buildTime: "",
};
const STOCK: Stock = {
  staged: STAGED,
  uploaded: imageOf(),
  running: RUNNING,
  peer: { ...PEER, version: "1.0.0", number: 10_000, protocol: 1 },
};
const made = (devices: Devices, change: Partial<Stock> = {}, isForced = false) =>
  uploadedJob(devices, { ...STOCK, ...change }, isForced);
const job = (...args: Parameters<typeof made>) => made(...args) as SystemJob;
const hindrance = (...args: Parameters<typeof made>) => made(...args) as Hindrance;

describe("images that were uploaded to a receiver", () => {
  it("become a job of both, the receiver first, as a system's would be", () => {
    expect(made("both")).deep.equal({
      version: "1.1.0",
      rule: "all",
      components: [
        { id: "receiver", image: STAGED.imageSha256, step: 0 },
        { id: "transmitter", image: PAGED.imageSha256, step: 1 },
      ],
      rebootDelaySeconds: 5,
      healthTimeoutSeconds: 30,
      stageTimeoutSeconds: 3_600,
      isUploaded: true,
    });
    expect(job("both", { staged: { ...STAGED, version: "1.2.0" } }).version).equal("1.2.0 + 1.1.0");
  });

  it("become a job of the transmitter alone, whatever is staged for the receiver", () => {
    expect(job("transmitter").components).deep.equal([
      { id: "transmitter", image: PAGED.imageSha256, step: 0 },
    ]);
    expect(job("transmitter", { staged: undefined }).version).equal("1.1.0");
  });

  it("are missing where one of those that are wanted was not uploaded", () => {
    const missing = { status: 404, code: "NOTHING_STAGED", message: "No firmware uploaded" };
    expect(made("both", { uploaded: undefined })).deep.equal(missing);
    expect(made("both", { staged: undefined })).deep.equal(missing);
    expect(made("transmitter", { uploaded: undefined })).deep.equal(missing);
  });

  it("have to be newer than what the transmitter runs, if that is known", () => {
    const peer = (number: number) => ({ peer: { ...PEER, version: "1.1.0", number } });
    expect(hindrance("both", peer(10_100))).include({ status: 409, code: "NOT_NEWER" });
    expect(hindrance("transmitter", peer(10_100), true).code, "a force is no help").equal("NOT_NEWER");
    expect(job("transmitter", peer(10_099)).components).length(1);
    expect(job("transmitter", { peer: { ...PEER, version: "", number: 0 } }).components).length(1);
    expect(job("transmitter", { peer: undefined }).components).length(1);
  });

  it("have to work together: with each other if both are installed, else with what the receiver runs", () => {
    const other = imageOf({ protocolVersion: 2 });
    expect(hindrance("both", { uploaded: other })).include({ status: 409, code: "PEER_INCOMPATIBLE" });
    expect(hindrance("transmitter", { uploaded: other }).message).equal(
      "The transmitter's image does not work with the receiver: it speaks protocol 2, this device 1",
    );
    const staged = { ...STAGED, protocolVersion: 2 };
    expect(job("both", { uploaded: other, staged }).components).length(2);
    expect(hindrance("both", { staged }).message).include("the receiver's image");
    const demanding = imageOf({ minCompatible: "1.0.5" });
    expect(hindrance("transmitter", { uploaded: demanding }).message).include("it needs 10005");
    expect(job("both", { uploaded: demanding }).components).length(2);
    const old = { ...STAGED, minCompatible: "1.2.0" };
    expect(hindrance("both", { staged: old }).message).include("10200 or newer");
  });

  it("are installed all the same if their owner says so, and may not fit in the end", () => {
    const forced = job("transmitter", { uploaded: imageOf({ protocolVersion: 2 }) }, true);
    expect(forced).include({ mayMisfit: true, isUploaded: true });
    expect(job("transmitter")).not.to.have.property("mayMisfit");
  });

  it("that do not say what they speak are believed to fit", () => {
    const { protocolVersion: _, ...silent } = STAGED;
    expect(job("both", { staged: silent, uploaded: imageOf({ protocolVersion: 2 }) }).components).length(2);
    expect(
      job("transmitter", { running: undefined, uploaded: imageOf({ protocolVersion: 2 }) }).components,
    ).length(1);
  });

  it("are offered to the transmitter under a number that no server gives", () => {
    const image = imageOf();
    expect(uploadedOffer(image)).deep.equal({
      id: "transmitter",
      image: PAGED.imageSha256,
      sizeBytes: 40_000,
      answer: {
        firmware_id: 9_007_199_254_740_991,
        version: "1.1.0",
        build_number: 0,
        download_url: `/api/ota/cache/${PAGED.sha256.slice(0, 16)}`,
        digests_url: `/api/ota/cache/${PAGED.sha256.slice(0, 16)}/digests`,
        release: image.manifest,
      },
    });
  });
});
