// The check of the whole image, before its slot is armed.

import { expect } from "chai";
import { proofOf, prove } from "../../../../firmware/core/update/proof.js";
import { Download, hex, md5 } from "../download.js";
import { inPhase, JOB } from "../update-phases.js";

const SIZE = 3 * 4096 + 160;
const TAIL = Uint8Array.from({ length: 32 }, (_, i) => i);
const UNSIGNED = { ...JOB, signed: false, tail: TAIL, release: { ...JOB.release, sha256: "" } };

describe("the check of the whole image", () => {
  it("expects the signed SHA-256, espota's MD5, or the SHA-256 at the image's end", () => {
    const { size, sha256 } = JOB.release;
    expect(proofOf({ ...JOB, md5: "f".repeat(32) })).deep.equal({
      algorithm: "SHA256",
      length: size,
      digest: sha256,
    });
    expect(proofOf({ ...UNSIGNED, md5: "f".repeat(32) })).deep.equal({
      algorithm: "MD5",
      length: size,
      digest: "f".repeat(32),
    });
    expect(proofOf(UNSIGNED)).deep.equal({ algorithm: "SHA256", length: size - 32, digest: hex(TAIL) });
  });

  it("expects the SHA-256 that the owner has agreed to, of the whole of an unsigned image", () => {
    const { size } = JOB.release;
    const agreed = { ...UNSIGNED, release: { ...JOB.release, sha256: "e".repeat(64) } };
    expect(proofOf(agreed)).deep.equal({ algorithm: "SHA256", length: size, digest: "e".repeat(64) });
  });

  it("hashes from the first byte, with a number that no earlier hash answers", () => {
    const state = inPhase("streaming");
    const [next, effects] = prove(state, JOB);
    expect(next).include({ phase: "proving", attempt: state.attempt + 2 });
    expect(effects).deep.equal([
      { type: "clearTimer", timer: "transfer" },
      { type: "hashSlot", attempt: state.attempt + 2, offset: 0, length: JOB.release.size },
    ]);
  });

  it("keeps an unsigned image from being armed whose own SHA-256 is wrong", () => {
    const whole = new Download({ sizeBytes: SIZE });
    expect(whole.push().outcome).equal("restarting");
    const download = new Download({ sizeBytes: SIZE });
    const body = download.image.slice();
    body[2000] = (body[2000] ?? 0) ^ 1;
    download.push({}, body);
    expect(download.answers[0]).property("status").equal(422);
    expect(download.answers[0])
      .property("body")
      .match(/the first 12416 bytes of the slot have SHA256/);
    expect(download.types).not.include("armSlot");
  });

  it("keeps an image from being armed whose MD5 is not the one of the invitation", () => {
    const espota = { address: "192.168.1.9", port: 4000, replyPort: 5000 };
    const pushed = (digest: string) =>
      new Download({ sizeBytes: SIZE }).push({ espota: { ...espota, md5: digest } });
    const right = pushed(hex(md5(new Download({ sizeBytes: SIZE }).image)));
    expect(right.outcome).equal("restarting");
    expect(pushed("0".repeat(32)).types).not.include("armSlot");
  });

  it("keeps a signed image from being armed that was sent whole and is not the signed one", () => {
    const flipped = new Download({
      sizeBytes: SIZE,
      digestsUrl: undefined,
      lie: (_, honest) => {
        const body = honest.body.slice();
        body[5000] = (body[5000] ?? 0) ^ 1;
        return { ...honest, body };
      },
    }).run();
    expect(flipped.outcome).equal("IMAGE_MISMATCH");
    expect(flipped.types).not.include("armSlot");
  });
});
