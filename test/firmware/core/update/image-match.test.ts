// Whether the image that arrives matches its release and this device.

import { expect } from "chai";
import { type ImageDescription, newImageReader } from "../../../../firmware/core/update/image.js";
import {
  describeMismatch,
  lastBytes,
  pushMismatch,
  withDescription,
} from "../../../../firmware/core/update/image-match.js";
import type { Job } from "../../../../firmware/core/update/job.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { BOOTED, IMAGE, stamped } from "../events.js";
import { inPhase, JOB } from "../update-phases.js";

const DESCRIPTION: ImageDescription = Object.freeze({
  chip: "esp32",
  segmentCount: 1,
  hashAppended: true,
  securityVersion: 0,
  version: "1.1.0",
  project: "base",
  date: "",
  time: "",
  idfVersion: "",
});
const reader = (changes: Partial<ImageDescription> = {}, more: object = {}) => ({
  ...newImageReader,
  description: { ...DESCRIPTION, ...changes },
  ...more,
});
const codeOf = (changes: Partial<ImageDescription>, more: object = {}, release: object = {}) =>
  describeMismatch(reader(changes, more), { ...JOB.release, ...release })?.code;

describe("an image and its release", () => {
  it("match by chip, version and length", () => {
    expect(codeOf({})).equal(undefined);
    expect(codeOf({ chip: "esp32c3" })).equal("WRONG_CHIP");
    expect(codeOf({ version: "1.1.1" })).equal("IMAGE_MISMATCH");
    expect(codeOf({ version: "1.2.0" })).equal("IMAGE_MISMATCH");
    expect(codeOf({ version: "2.1.0" })).equal("IMAGE_MISMATCH");
    expect(codeOf({ version: "unknown" })).equal("IMAGE_MISMATCH");
    expect(codeOf({}, { lengthBytes: JOB.release.size })).equal(undefined);
    expect(codeOf({}, { lengthBytes: JOB.release.size + 1 })).equal("IMAGE_MALFORMED");
    expect(codeOf({}, { error: "no magic" })).equal("IMAGE_MALFORMED");
  });

  it("match where only one of them names a pre-release or a build", () => {
    expect(codeOf({ version: "1.1.0+7" })).equal(undefined);
    expect(codeOf({ version: "1.1.0-rc.1" })).equal(undefined);
    expect(codeOf({}, {}, { version: "1.1.0-rc.1" })).equal(undefined);
  });

  it("do not contradict each other before the description has arrived", () => {
    expect(describeMismatch(newImageReader, JOB.release)).equal(undefined);
  });
});

describe("a pushed image and the device", () => {
  const [state] = updateStep(
    inPhase("idle"),
    stamped({ ...BOOTED, image: { ...IMAGE, securityVersion: 2, nvs: "plain" } }),
  );
  const push = (changes: Partial<ImageDescription>, more: Partial<Job> = {}) =>
    pushMismatch(state, { ...JOB, ahead: reader({ securityVersion: 2, ...changes }), ...more })?.code;

  it("match by security version, settings and hash", () => {
    expect(push({})).equal(undefined);
    expect(push({ securityVersion: 3 })).equal(undefined);
    expect(push({ securityVersion: 1 })).equal("SECURITY_VERSION_TOO_OLD");
    expect(push({ nvs: "hmac5" })).equal("NVS_MISMATCH");
    expect(push({ nvs: "plain" })).equal(undefined);
    expect(push({ chip: "esp32s3" })).equal("WRONG_CHIP");
  });

  it("needs its own SHA-256 only without a signature", () => {
    expect(push({ hashAppended: false })).equal(undefined);
    expect(push({ hashAppended: false }, { signed: false })).equal("IMAGE_MALFORMED");
  });
});

describe("an image without a release", () => {
  const unsigned: Job = { ...JOB, signed: false, release: { ...JOB.release, version: "", build: 0 } };

  it("has the version and build of its own description", () => {
    const { release } = withDescription({ ...unsigned, ahead: reader({ version: "2.3.4+9" }) });
    expect(release).include({ version: "2.3.4", build: 9 });
    expect(withDescription(unsigned)).equal(unsigned);
  });

  it("keeps its last 32 bytes, however it is cut", () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
    for (const pieceBytes of [1, 7, 31, 32, 33, 100]) {
      let tail = new Uint8Array(0);
      for (let at = 0; at < 100; at += pieceBytes)
        tail = lastBytes(tail, bytes.subarray(at, at + pieceBytes)).slice();
      expect([...tail], `${pieceBytes}`).deep.equal([...bytes.slice(-32)]);
    }
  });

  it("takes what the image speaks with its peer, if it says so, and from no signed one", () => {
    const release = { ...JOB.release, version: "", protocolVersion: 0 };
    const ahead = reader({ protocolVersion: 3, minCompatible: 20_104 });
    const told = withDescription({ ...JOB, release, signed: false, ahead }).release;
    expect(told).include({ protocolVersion: 3, minCompatible: "2.1.4" });
    const silent = withDescription({ ...JOB, release, signed: false, ahead: reader() }).release;
    expect(silent.protocolVersion).equal(0);
    expect(silent).not.property("minCompatible");
    expect(withDescription({ ...JOB, signed: true, ahead }).release).equal(JOB.release);
  });
});
