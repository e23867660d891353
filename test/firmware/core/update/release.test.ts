import { expect } from "chai";
import { checkRelease, parseRelease, type Release } from "../../../../firmware/core/update/release.js";
import { MAX_LISTING_RELEASE_LENGTH, MAX_RELEASE_LENGTH } from "../../../../firmware/core/wire.js";
import { BOOTED, IMAGE, KEY } from "../events.js";
import { PAYLOAD as BASE, HEADER, jws, PAGED, pagesOf } from "../releases.js";

const PAYLOAD = { ...BASE, build: 3, expires: 1_800_000_000 };

const parsed = (changes: object = {}, payload: object = PAYLOAD): Release => {
  const result = parseRelease(jws({ ...payload, ...changes }));
  if (!result.ok) throw new Error(result.failure.message);
  return result.value.release;
};
const DEVICE = {
  identity: BOOTED.identity,
  image: IMAGE,
  slotBytes: 0x200000,
  time: 1_795_000_000,
  trust: { root: undefined, keys: [KEY] },
  installed: { sequence: 0, fastForward: 0 },
};
const codeOf = (changes: object, device = DEVICE) => {
  const checked = checkRelease(parsed(changes), device);
  return checked.ok ? "OK" : checked.failure.code;
};

describe("release manifest", () => {
  it("is read with every chunk's digest", () => {
    const result = parseRelease(jws(PAYLOAD));
    expect(result.ok && result.value.signatures[0]?.keyId).equal("key-1");
    const signedText = jws(PAYLOAD).split(".").slice(0, 2).join(".");
    expect(result.ok && result.value.signatures[0]?.signedLength).equal(signedText.length);
    expect(parsed().digestsOf).equal("chunks");
    expect(parsed().digests).deep.equal(new Uint8Array(96).fill(7));
  });

  it("of format 2 is read with the digest of each page, of up to eight pages", () => {
    expect(parsed({}, PAGED).digestsOf).equal("pages");
    expect(parsed({}, PAGED).digests).deep.equal(new Uint8Array(32).fill(8));
    for (const [size, chunkSize, count] of [
      [1, 16_384, 1],
      [1024 * 1024, 16_384, 1],
      [1024 * 1024 + 1, 16_384, 2],
      [8 * 1024 * 1024, 16_384, 8],
      [16 * 1024 * 1024, 32_768, 8],
    ] as const)
      expect(parsed({ size, chunkSize, pages: pagesOf(count) }, PAGED).digests.length).equal(32 * count);
  });

  it("is not read when it is longer than its format may be", () => {
    const codeOf = (text: string) => {
      const result = parseRelease(text);
      return result.ok ? "OK" : result.failure.code;
    };
    const padded = (payload: object, length: number) => {
      const bare = jws({ ...payload, x: "" }).length;
      const text = jws({ ...payload, x: "x".repeat(Math.floor(((length - bare) * 3) / 4)) });
      return text + "A".repeat(length - text.length);
    };
    expect(codeOf(padded(PAYLOAD, MAX_LISTING_RELEASE_LENGTH))).not.equal("RELEASE_TOO_LARGE");
    expect(codeOf(padded(PAYLOAD, MAX_LISTING_RELEASE_LENGTH + 1))).equal("RELEASE_TOO_LARGE");
    const paged = (count: number) => jws({ ...PAGED, x: "x".repeat(count) });
    const fits = [...Array(1200).keys()].filter((count) => paged(count).length <= MAX_RELEASE_LENGTH).length;
    expect(codeOf(paged(fits - 1))).equal("OK");
    expect(codeOf(paged(fits))).equal("RELEASE_TOO_LARGE");
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
      [{ format: 4 }, /format 4 is not known, this firmware reads formats 1 to 3/],
      [{ format: 2 }, /0 bytes of digests, 1 pages need 32/],
      [{ ...PAGED, pages: pagesOf(2) }, /64 bytes of digests, 1 pages need 32/],
      [{ ...PAGED, size: 8 * 1024 * 1024 + 1, pages: pagesOf(9) }, /9 pages of digests, the maximum is 8/],
      [{ type: "a b" }, /type/],
      [{ version: "1.1" }, /semantic version/],
      [{ build: -1 }, /build/],
      [{ size: 0 }, /size/],
      [{ size: 1.5 }, /size/],
      [{ sha256: "B".repeat(64) }, /sha256/],
      [{ chunkSize: 1000 }, /multiple of 4096/],
      [{ chunks: "AAAA" }, /3 bytes of digests, 3 chunks need 96/],
      [{ chunkSize: 4096, size: 16 * 1024 * 1024 }, /4096 chunks/],
      [{ expires: "never" }, /expires/],
      [{ minCurrentVersion: "x" }, /minCurrentVersion/],
      [{ nvs: 5 }, /nvs/],
    ];
    for (const [changes, expected] of wrong) expect(message(jws({ ...PAYLOAD, ...changes }))).match(expected);
  });

  it("is installed only by the device it is for", () => {
    expect(codeOf({})).equal("OK");
    expect(codeOf({ type: "led" })).equal("WRONG_TYPE");
    expect(codeOf({ chip: "esp32c3" })).equal("WRONG_CHIP");
    expect(codeOf({ hardware: "poe-iso" })).equal("WRONG_HARDWARE");
  });

  it("is not installed over a firmware that stores its settings in another way, if both declare it", () => {
    const over = (ours: "plain" | "hmac5" | undefined, its: string | undefined) =>
      codeOf(its ? { nvs: its } : {}, { ...DEVICE, image: ours ? { ...IMAGE, nvs: ours } : IMAGE });
    expect(over("plain", "plain")).equal("OK");
    expect(over("hmac5", "hmac5")).equal("OK");
    for (const [ours, its] of [
      ["hmac5", "plain"],
      ["plain", "hmac5"],
      ["hmac5", "hmac4"],
      ["plain", "nvs-keys"],
      ["plain", "unheard-of"],
    ] as const)
      expect(over(ours, its), `${ours} to ${its}`).equal("NVS_MISMATCH");
    expect(over(undefined, "plain")).equal("OK");
    expect(over("plain", undefined)).equal("OK");
  });

  it("is installed only if it is newer by version, then by build", () => {
    expect(codeOf({ version: "1.0.0", build: 0 })).equal("NOT_NEWER");
    expect(codeOf({ version: "1.0.0", build: 1 })).equal("OK");
    expect(codeOf({ version: "0.9.9", build: 9 })).equal("NOT_NEWER");
  });

  it("may replace a firmware whose own version cannot be parsed, or is older than any minimum", () => {
    for (const version of ["unknown", "", "0.0.0-dev"])
      expect(codeOf({ version: "0.0.1" }, { ...DEVICE, image: { ...IMAGE, version } }), version).equal("OK");
  });

  it("is not installed after its expiry, below its minimum, under an older security version or if it does not fit", () => {
    expect(codeOf({ expires: DEVICE.time - 1 })).equal("RELEASE_EXPIRED");
    expect(codeOf({ expires: DEVICE.time })).equal("OK");
    const late = { ...DEVICE, time: 0x1_0000_0000 };
    expect(codeOf({ expires: 0xffffffff }, late), "a date like any other").equal("RELEASE_EXPIRED");
    expect(codeOf({ expires: undefined }, late), "never").equal("OK");
    const dev = { ...DEVICE, image: { ...IMAGE, version: "0.0.0-dev" } };
    expect(codeOf({ minCurrentVersion: "0.0.0" }, dev), "a version like any other").equal("CURRENT_TOO_OLD");
    expect(codeOf({}, dev)).equal("OK");
    expect(codeOf({ minCurrentVersion: "1.0.1" })).equal("CURRENT_TOO_OLD");
    expect(codeOf({ minCurrentVersion: "1.0.0" })).equal("OK");
    expect(codeOf({}, { ...DEVICE, image: { ...IMAGE, securityVersion: 1 } })).equal(
      "SECURITY_VERSION_TOO_OLD",
    );
    expect(codeOf({ securityVersion: 1 }, { ...DEVICE, image: { ...IMAGE, securityVersion: 1 } })).equal(
      "OK",
    );
    expect(codeOf({}, { ...DEVICE, slotBytes: 39_999 })).equal("IMAGE_TOO_LARGE");
    expect(codeOf({}, { ...DEVICE, slotBytes: 40_000 }), "of exactly the slot's size").equal("OK");
  });
});
