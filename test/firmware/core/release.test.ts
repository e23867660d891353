import { expect } from "chai";
import { judgeRelease, parseRelease, type Release } from "../../../firmware/core/release.js";
import { BOOTED, IMAGE } from "./events.js";
import { PAYLOAD as BASE, HEADER, jws } from "./releases.js";

const PAYLOAD = { ...BASE, build: 3, expires: 1_800_000_000 };

const parsed = (changes: object = {}): Release => {
  const result = parseRelease(jws({ ...PAYLOAD, ...changes }));
  if (!result.ok) throw new Error(result.failure.message);
  return result.value.release;
};
const DEVICE = { identity: BOOTED.identity, image: IMAGE, slotBytes: 0x200000, time: 1_795_000_000 };
const codeOf = (changes: object, device = DEVICE) => {
  const judged = judgeRelease(parsed(changes), device);
  return judged.ok ? "OK" : judged.failure.code;
};

describe("release manifest", () => {
  it("is read with every chunk's digest", () => {
    const result = parseRelease(jws(PAYLOAD));
    expect(result.ok && result.value.keyId).equal("key-1");
    expect(result.ok && result.value.signed).equal(jws(PAYLOAD).split(".").slice(0, 2).join("."));
    expect(parsed().digests).deep.equal(new Uint8Array(96).fill(7));
  });

  it("is refused with the field that is wrong", () => {
    const message = (text: string) => {
      const result = parseRelease(text);
      return result.ok ? "accepted" : `${result.failure.code} ${result.failure.message}`;
    };
    expect(message("a.b")).match(/three parts/);
    expect(message(jws(PAYLOAD, { ...HEADER, alg: "none" }))).match(/RELEASE_MALFORMED.*alg ES256/);
    expect(message(jws(PAYLOAD, { ...HEADER, typ: "JWT" }))).match(/typ skyslot-release/);
    expect(message(jws(PAYLOAD, HEADER, "AAAA"))).match(/64 bytes/);
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ format: 2 }, /format 2/],
      [{ type: "a b" }, /type/],
      [{ version: "1.1" }, /semantic version/],
      [{ build: -1 }, /build/],
      [{ size: 0 }, /size/],
      [{ size: 1.5 }, /size/],
      [{ sha256: "B".repeat(64) }, /sha256/],
      [{ chunkSize: 1000 }, /multiple of 4096/],
      [{ chunks: "AAAA" }, /3 bytes of chunk digests, 3 chunks need 96/],
      [{ chunkSize: 4096, size: 16 * 1024 * 1024 }, /4096 chunks/],
      [{ expires: "never" }, /expires/],
      [{ minCurrentVersion: "x" }, /minCurrentVersion/],
    ];
    for (const [changes, expected] of wrong) expect(message(jws({ ...PAYLOAD, ...changes }))).match(expected);
  });

  it("is installed only by the device it is made for", () => {
    expect(codeOf({})).equal("OK");
    expect(codeOf({ type: "led" })).equal("WRONG_TYPE");
    expect(codeOf({ chip: "esp32c3" })).equal("WRONG_CHIP");
    expect(codeOf({ hardware: "poe-iso" })).equal("WRONG_HARDWARE");
  });

  it("is installed only if it is newer by version, then by build", () => {
    expect(codeOf({ version: "1.0.0", build: 0 })).equal("NOT_NEWER");
    expect(codeOf({ version: "1.0.0", build: 1 })).equal("OK");
    expect(codeOf({ version: "0.9.9", build: 9 })).equal("NOT_NEWER");
  });

  it("is not installed after its expiry, below its minimum, under an older security version or if it does not fit", () => {
    expect(codeOf({ expires: DEVICE.time - 1 })).equal("RELEASE_EXPIRED");
    expect(codeOf({ expires: DEVICE.time })).equal("OK");
    expect(codeOf({ minCurrentVersion: "1.0.1" })).equal("CURRENT_TOO_OLD");
    expect(codeOf({ minCurrentVersion: "1.0.0" })).equal("OK");
    expect(codeOf({}, { ...DEVICE, image: { ...IMAGE, securityVersion: 1 } })).equal(
      "SECURITY_VERSION_TOO_OLD",
    );
    expect(codeOf({}, { ...DEVICE, slotBytes: 39_999 })).equal("IMAGE_TOO_LARGE");
  });
});
