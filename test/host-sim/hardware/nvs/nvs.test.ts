// What firmware can and cannot rely on in NVS. Agreement with ESP-IDF's library is in nvs-vectors.test.ts.

import { expect } from "chai";
import { Flash, PowerCut } from "../../../../host-sim/hardware/flash/flash.js";
import { Nvs, type NvsType, type NvsValue } from "../../../../host-sim/hardware/nvs/nvs.js";

const SIZE_BYTES = 0x4000;
const OFFSET = 0x9000;

function mount(flash: Flash): Nvs {
  const { error, nvs } = Nvs.mount(flash, OFFSET, SIZE_BYTES);
  expect(error).to.equal("ESP_OK");
  return nvs!;
}

function newFlash(): Flash {
  return new Flash(0x10000);
}

/** A repeatable sequence of numbers in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("NVS", () => {
  const values: readonly (readonly [NvsType, NvsValue])[] = [
    ["u8", 255],
    ["i8", -128],
    ["u16", 65535],
    ["i16", -32768],
    ["u32", 4294967295],
    ["i32", -2147483648],
    ["u64", 18446744073709551615n],
    ["i64", -9223372036854775808n],
    ["str", "Grüße, 世界"],
    ["blob", Uint8Array.from({ length: 5000 }, (_, index) => index & 0xff)],
  ];

  it("returns every type after a restart, without being told the type", () => {
    const flash = newFlash();
    const nvs = mount(flash);
    for (const [type, value] of values) expect(nvs.set("app", type, type, value)).to.equal("ESP_OK");
    const again = mount(flash);
    for (const [type, value] of values) {
      expect(again.get("app", type)).to.deep.equal({ error: "ESP_OK", type, value });
    }
  });

  it("lists keys in write order, a replaced one last, and by namespace", () => {
    const nvs = mount(newFlash());
    nvs.set("a", "first", "u8", 1);
    nvs.set("b", "other", "u8", 1);
    nvs.set("a", "second", "str", "2");
    nvs.set("a", "first", "u8", 3);
    expect(nvs.list("a").map(({ key }) => key)).to.deep.equal(["second", "first"]);
    expect(nvs.list().map(({ namespace, key, type }) => `${namespace}/${key}:${type}`)).to.deep.equal([
      "b/other:u8",
      "a/second:str",
      "a/first:u8",
    ]);
    expect(nvs.list("none")).to.deep.equal([]);
  });

  it("touches only its own partition", () => {
    const flash = newFlash();
    const nvs = mount(flash);
    for (let count = 0; count < 600; count += 1) nvs.set("app", "counter", "u32", count);
    expect(flash.counters.eraseCount).to.be.greaterThan(0);
    expect(flash.bytes.subarray(0, OFFSET).every((byte) => byte === 0xff)).to.equal(true);
    expect(flash.bytes.subarray(OFFSET + SIZE_BYTES).every((byte) => byte === 0xff)).to.equal(true);
  });

  it("writes nothing when a value is set again", () => {
    const flash = newFlash();
    const nvs = mount(flash);
    nvs.set("app", "name", "str", "lamp");
    const units = flash.unitCount;
    expect(nvs.set("app", "name", "str", "lamp")).to.equal("ESP_OK");
    expect(flash.unitCount).to.equal(units);
  });

  it("replaces a value by one of another type", () => {
    const nvs = mount(newFlash());
    nvs.set("app", "key", "u8", 1);
    nvs.set("app", "key", "blob", Uint8Array.of(1, 2));
    nvs.set("app", "key", "str", "one");
    expect(nvs.list()).to.have.length(1);
    expect(nvs.get("app", "key", "u8").error).to.equal("ESP_ERR_NVS_NOT_FOUND");
    expect(nvs.get("app", "key").value).to.equal("one");
  });

  it("refuses with the names of ESP-IDF's errors", () => {
    const nvs = mount(newFlash());
    expect(nvs.get("app", "key").error).to.equal("ESP_ERR_NVS_NOT_FOUND");
    expect(nvs.open("app", "readonly").error).to.equal("ESP_ERR_NVS_NOT_FOUND");
    expect(nvs.set("app", "k".repeat(16), "u8", 1)).to.equal("ESP_ERR_NVS_KEY_TOO_LONG");
    expect(nvs.set("app", "text", "str", "x".repeat(3999))).to.equal("ESP_OK");
    expect(nvs.set("app", "text", "str", "x".repeat(4000))).to.equal("ESP_ERR_NVS_VALUE_TOO_LONG");
    expect(nvs.open("app", "readonly").handle!.set("key", "u8", 1)).to.equal("ESP_ERR_NVS_READ_ONLY");
    expect(nvs.erase("app", "key")).to.equal("ESP_ERR_NVS_NOT_FOUND");
    expect(Nvs.mount(new Flash(0x1000), 0, 0x1000).error).to.equal("ESP_OK");
  });

  it("reports that the storage is full and works again after an erase", () => {
    const nvs = mount(newFlash());
    let count = 0;
    while (nvs.set("app", `k${count}`, "u32", count) === "ESP_OK") count += 1;
    expect(count).to.be.within(300, 3 * 126);
    expect(nvs.stats()!.used).to.be.at.most(3 * 126);
    expect(nvs.eraseAll("app")).to.equal("ESP_OK");
    expect(nvs.set("app", "again", "u8", 1)).to.equal("ESP_OK");
    expect(nvs.list()).to.have.length(1);
  });

  it("holds the old or the new string and integer after a power cut at any unit, even within one", () => {
    let cutCount = 0;
    let eraseCount = 0;
    const base = newFlash();
    const before = mount(base);
    for (let count = 0; count < 374; count += 1) before.set("app", `n${count % 7}`, "u32", count);
    before.set("app", "state", "str", "old");
    before.set("app", "keep", "i32", -7);
    for (let cut = 0; cut < 400; cut += 1) {
      const flash = new Flash(base.sizeBytes, base.bytes);
      flash.cutAfterUnits(cut, cut % 2 === 0 ? undefined : randomFrom(cut));
      const wasCut = isCut(() => {
        const nvs = mount(flash);
        nvs.set("app", "state", "str", "new and longer than one entry of the page");
        nvs.set("app", "n3", "u32", 1);
      });
      flash.powerRestored();
      eraseCount = flash.counters.eraseCount;
      const nvs = mount(flash);
      expect(nvs.get("app", "state").value, `cut ${cut}`).to.match(/^(old|new and longer.*)$/);
      expect(nvs.get("app", "keep").value, `cut ${cut}`).to.equal(-7);
      if (!wasCut) break;
      cutCount += 1;
    }
    expect(cutCount).to.be.within(40, 399);
    expect(eraseCount, "a page was freed on the way").to.be.greaterThan(0);
  });

  it("can lose a blob that is overwritten within a page, as the real library does", () => {
    let lostCount = 0;
    const base = newFlash();
    mount(base).set("app", "data", "blob", new Uint8Array(40).fill(1));
    for (let cut = 0; cut < 60; cut += 1) {
      const flash = new Flash(base.sizeBytes, base.bytes);
      flash.cutAfterUnits(cut);
      isCut(() => mount(flash).set("app", "data", "blob", new Uint8Array(40).fill(2)));
      flash.powerRestored();
      if (mount(flash).get("app", "data").error !== "ESP_OK") lostCount += 1;
    }
    expect(lostCount).to.be.greaterThan(0);
  });

  it("reads an encrypted partition only with its keys", () => {
    const flash = newFlash();
    const keys = { encryptionKey: new Uint8Array(32).fill(1), tweakKey: new Uint8Array(32).fill(2) };
    Nvs.mount(flash, OFFSET, SIZE_BYTES, keys).nvs!.set(
      "wifi",
      "password",
      "str",
      "correct horse battery staple",
    );
    expect(Buffer.from(flash.bytes).includes("correct horse")).to.equal(false);
    const copy = new Flash(flash.sizeBytes, flash.bytes);
    expect(mount(copy).list()).to.deep.equal([]);
    const again = Nvs.mount(flash, OFFSET, SIZE_BYTES, keys).nvs!;
    expect(again.get("wifi", "password").value).to.equal("correct horse battery staple");
  });
});

function isCut(work: () => void): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (error instanceof PowerCut) return true;
    throw error;
  }
}
