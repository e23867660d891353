// The functions that firmware binds by mc/ffi, beyond what the golden programs show.

import { createECDH, createHash, generateKeyPairSync, sign } from "node:crypto";
import { expect } from "chai";
import { verifyP256 } from "../../../host-sim/modules/p256.js";
import { runSource } from "../run-source.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** A key, a digest and its signature, as firmware gets them. */
function signed(message: string): { key: Buffer; digest: Buffer; signature: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" });
  const key = Buffer.concat([Buffer.of(4), Buffer.from(x!, "base64url"), Buffer.from(y!, "base64url")]);
  const signature = sign("sha256", Buffer.from(message), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return { key, digest: createHash("sha256").update(message).digest(), signature };
}

describe("skyslot_verify_p256", () => {
  it("accepts what Node's crypto signed, and nothing else", () => {
    for (let round = 0; round < 8; round += 1) {
      const { key, digest, signature } = signed(`message ${round}`);
      expect(verifyP256(key, digest, signature)).to.equal(true);
      const flip = (bytes: Buffer, at: number) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1 << round;
        return changed;
      };
      expect(verifyP256(key, flip(digest, round * 4), signature)).to.equal(false);
      expect(verifyP256(key, digest, flip(signature, round * 8))).to.equal(false);
      expect(verifyP256(flip(key, 1 + round * 8), digest, signature)).to.equal(false);
    }
  });

  it("refuses degenerate signatures and keys", () => {
    const { key, digest, signature } = signed("x");
    expect(verifyP256(key, digest, Buffer.alloc(64))).to.equal(false);
    expect(verifyP256(key, digest, Buffer.alloc(64, 0xff))).to.equal(false);
    expect(verifyP256(Buffer.concat([Buffer.of(4), Buffer.alloc(64)]), digest, signature)).to.equal(false);
    expect(verifyP256(key.subarray(1), digest, signature)).to.equal(false);
    const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
    expect(verifyP256(key, digest, Buffer.concat([order, signature.subarray(32)]))).to.equal(false);
    const other = createECDH("prime256v1").generateKeys();
    expect(verifyP256(other, digest, signature)).to.equal(false);
  });

  it("is what firmware calls", async () => {
    const { key, digest, signature } = signed("from the device");
    const { lines } = await runSource(`
      import FFI from "mc/ffi"; const b = (h) => Uint8Array.fromHex(h).buffer; const ffi = new FFI();
      const args = ["${hex(key)}", "${hex(digest)}", "${hex(signature)}"].map(b);
      trace(ffi.skyslot_verify_p256(...args) + "\\n"); new Uint8Array(args[1])[0] ^= 1; trace(ffi.skyslot_verify_p256(...args) + "\\n");`);
    expect(lines).to.deep.equal(["1", "0"]);
  });
});

describe("skyslot_derive_key", () => {
  it("is PBKDF2-HMAC-SHA256, as Python's hashlib computes it", async () => {
    const salt = `${"ab".repeat(32)}:${"cd".repeat(32)}`;
    const { lines } = await runSource(`
      import FFI from "mc/ffi"; const ffi = new FFI(); const key = new ArrayBuffer(32);
      const password = "980061b57e53c2de71a544b88d868652220a5f638b654459743bc497df202f9e";
      trace(ffi.skyslot_derive_key(password, "${salt}", 10000, key) + " " + new Uint8Array(key).toHex() + "\\n");`);
    expect(lines).to.deep.equal(["1 b7a2bf1029f505602abfc2362e593d50150a2407c9095f96f5c6efe9789e21d6"]);
  });
});

describe("mc/ffi", () => {
  it("returns what a device knows about itself", async () => {
    const { lines } = await runSource(
      `import FFI from "mc/ffi"; const ffi = new FFI(); const mac = new ArrayBuffer(6), label = new ArrayBuffer(17); new Uint8Array(label).fill(9);
       trace(ffi.esp_efuse_mac_get_default(mac) + " " + new Uint8Array(mac).toHex() + "\\n");
       ffi.skyslot_running(label); trace(new Uint8Array(label).toHex() + "\\n");
       trace([ffi.esp_reset_reason(), ffi.skyslot_slot_state(), ffi.skyslot_arm("ota_0"), ffi.skyslot_arm("nothing"), ffi.skyslot_arm_running(), ffi.esp_get_free_heap_size() > 1e5].join() + "\\n");
       const r = [ffi.esp_random(), ffi.esp_random()]; trace((r[0] !== r[1] && r.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32)) + "\\n");
       try { ffi.skyslot_running(new ArrayBuffer(4)); } catch (e) { trace(e.name + "\\n"); } try { ffi.skyslot_running(new Uint8Array(17)); } catch (e) { trace(e.name + "\\n"); }`,
      { mac: Uint8Array.of(0x24, 0x6f, 0x28, 1, 2, 4) },
    );
    expect(lines).to.deep.equal([
      "0 246f28010204",
      `${hex(Buffer.from("factory"))}${"00".repeat(10)}`,
      "1,-262,5379,261,262,true",
      "true",
      "RangeError",
      "TypeError",
    ]);
  });
});
