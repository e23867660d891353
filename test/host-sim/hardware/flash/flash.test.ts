// The NOR flash: what it forbids, what it counts, and where power fails.

import { expect } from "chai";
import {
  Flash,
  type FlashOperation,
  PowerCut,
  SECTOR_BYTES,
} from "../../../../host-sim/hardware/flash/flash.js";
import { randomStream } from "../../../../host-sim/world/random.js";

const bytes = (...values: number[]) => new Uint8Array(values);

describe("flash", () => {
  it("is erased at first, after its initial contents", () => {
    const flash = new Flash(2 * SECTOR_BYTES, bytes(1, 2));
    expect([...flash.read(0, 4)]).to.deep.equal([1, 2, 0xff, 0xff]);
  });

  it("only clears bits when it writes", () => {
    const flash = new Flash(SECTOR_BYTES);
    flash.write(8, bytes(0b1100_1100));
    flash.write(8, bytes(0b1010_1010));
    expect([...flash.read(8, 1)]).to.deep.equal([0b1000_1000]);
  });

  it("sets a whole sector to ones when it erases, and no other", () => {
    const flash = new Flash(3 * SECTOR_BYTES, new Uint8Array(3 * SECTOR_BYTES));
    flash.eraseSector(SECTOR_BYTES);
    expect(flash.bytes.indexOf(0xff)).to.equal(SECTOR_BYTES);
    expect(flash.bytes.lastIndexOf(0xff)).to.equal(2 * SECTOR_BYTES - 1);
    expect([0, 1, 2].map((sector) => flash.eraseCountOf(sector))).to.deep.equal([0, 1, 0]);
  });

  it("refuses to go past its end or to erase partial sectors, with the numbers", () => {
    const flash = new Flash(SECTOR_BYTES);
    expect(() => flash.read(4095, 2)).to.throw(
      RangeError,
      "read of 2 bytes at 4095 leaves the flash of 4096 bytes",
    );
    expect(() => flash.write(4096, bytes(1))).to.throw(RangeError, "write of 1 bytes at 4096");
    expect(() => flash.eraseSector(-4096)).to.throw(RangeError);
    expect(() => new Flash(2 * SECTOR_BYTES).eraseSector(4)).to.throw(RangeError, "not a multiple of 4096");
    expect(() => new Flash(5000)).to.throw(RangeError, "flash size 5000");
  });

  it("returns copies when it is read", () => {
    const flash = new Flash(SECTOR_BYTES);
    flash.read(0, 4).fill(0);
    expect(flash.bytes[0]).to.equal(0xff);
  });

  it("announces each operation before and after, an erase of two sectors being two", () => {
    const flash = new Flash(2 * SECTOR_BYTES);
    const seen: string[] = [];
    flash.onOperation = ({ kind, offset, length }: FlashOperation, when) =>
      seen.push(`${when} ${kind} ${offset} ${length}`);
    flash.erase(0, 2 * SECTOR_BYTES);
    flash.write(4, bytes(1, 2, 3));
    expect(seen).to.deep.equal([
      "before erase 0 4096",
      "after erase 0 4096",
      "before erase 4096 4096",
      "after erase 4096 4096",
      "before write 4 3",
      "after write 4 3",
    ]);
    expect(flash.counters).to.deep.equal({ eraseCount: 2, writeCount: 1, bytesWritten: 3 });
  });

  it("erases an aligned block in one operation, and what is beside it sector by sector", () => {
    const flash = new Flash(4 * 65_536, new Uint8Array(4 * 65_536));
    const seen: string[] = [];
    let busyMs = 0;
    flash.onOperation = ({ offset, length }, when) => when === "after" && seen.push(`${offset}+${length}`);
    flash.onBusy = (ms) => {
      busyMs += ms;
    };
    flash.erase(65_536 - 4096, 4096 + 2 * 65_536 + 4096);
    expect(seen).to.deep.equal(["61440+4096", "65536+65536", "131072+65536", "196608+4096"]);
    expect(busyMs).to.equal(45 + 150 + 150 + 45);
    expect(flash.counters.eraseCount).to.equal(34);
    expect([14, 15, 16, 47, 48, 49].map((sector) => flash.eraseCountOf(sector))).to.deep.equal([
      0, 1, 1, 1, 1, 0,
    ]);
    expect(flash.isErased(61_440, 139_264)).to.equal(true);
    expect(flash.bytes[61_439]! | flash.bytes[200_704]!).to.equal(0);
  });

  it("can lose power inside a block, cleanly between its sectors or torn", () => {
    const clean = new Flash(65_536, new Uint8Array(65_536));
    clean.cutAfterUnits(3);
    expect(() => clean.erase(0, 65_536)).to.throw(PowerCut);
    expect(clean.bytes.findIndex((byte) => byte !== 0xff)).to.equal(3 * SECTOR_BYTES);
    const torn = new Flash(65_536, new Uint8Array(65_536));
    torn.cutAfterUnits(3, randomStream(4));
    expect(() => torn.erase(0, 65_536)).to.throw(PowerCut);
    expect(torn.isErased(0, 65_536)).to.equal(false);
    expect(torn.bytes.some((byte) => byte !== 0)).to.equal(true);
  });

  it("counts words and sectors as units, a trailing piece of a word as one", () => {
    const flash = new Flash(SECTOR_BYTES);
    flash.eraseSector(0);
    flash.write(0, new Uint8Array(9));
    expect(flash.unitCount).to.equal(4);
  });

  it("loses power when the given units are done and another is requested, and stays off until power is back", () => {
    const flash = new Flash(SECTOR_BYTES);
    flash.cutAfterUnits(2);
    flash.write(0, bytes(0, 0, 0, 0));
    expect(() => flash.write(4, new Uint8Array(8))).to.throw(PowerCut);
    expect(flash.bytes.subarray(0, 12).toString()).to.equal("0,0,0,0,0,0,0,0,255,255,255,255");
    expect(() => flash.write(100, bytes(0))).to.throw(PowerCut);
    flash.powerRestored();
    flash.write(100, bytes(0));
    expect(flash.bytes[100]).to.equal(0);
    expect(flash.unitCount).to.equal(3);
  });

  it("does not lose power when no further unit is requested", () => {
    const flash = new Flash(SECTOR_BYTES);
    flash.cutAfterUnits(2);
    flash.write(0, new Uint8Array(8));
    expect(flash.powered).to.equal(true);
  });

  it("stays off as well when onOperation cuts the power", () => {
    const flash = new Flash(SECTOR_BYTES);
    flash.onOperation = () => {
      throw new PowerCut();
    };
    expect(() => flash.write(0, bytes(0))).to.throw(PowerCut);
    flash.onOperation = undefined;
    expect(() => flash.eraseSector(0)).to.throw(PowerCut);
    expect(flash.bytes[0]).to.equal(0xff);
  });

  it("can leave the interrupted operation torn, but only that one", () => {
    const random = randomStream(1);
    const flash = new Flash(SECTOR_BYTES);
    flash.cutAfterUnits(70, random);
    expect(() => flash.write(0, new Uint8Array(600).fill(0x0f))).to.throw(PowerCut);
    expect(flash.bytes.subarray(0, 256).every((byte) => byte === 0x0f)).to.equal(true);
    expect(flash.bytes.subarray(256, 512).every((byte) => (byte & 0x0f) === 0x0f)).to.equal(true);
    expect(flash.bytes.subarray(512).every((byte) => byte === 0xff)).to.equal(true);

    const programmed = new Flash(2 * SECTOR_BYTES, new Uint8Array(2 * SECTOR_BYTES));
    programmed.cutAfterUnits(0, random);
    expect(() => programmed.eraseSector(0)).to.throw(PowerCut);
    expect(programmed.bytes.subarray(SECTOR_BYTES).every((byte) => byte === 0)).to.equal(true);
  });

  it("is busy for 45 ms with a sector, and with a write for each page of the chip that it enters", () => {
    const flash = new Flash(SECTOR_BYTES);
    let busyMs = 0;
    flash.onBusy = (ms) => {
      busyMs += ms;
    };
    flash.eraseSector(0);
    expect(busyMs).to.equal(45);
    flash.write(128, new Uint8Array(256));
    expect(busyMs).to.be.closeTo(45 + 0.8, 1e-9);
    flash.write(255, bytes(0, 0));
    expect(busyMs).to.be.closeTo(45 + 0.8 + 2 * 0.03, 1e-9);
    const slow = new Flash(SECTOR_BYTES, undefined, { ...flash.timings, eraseSectorMs: 400 });
    slow.onBusy = flash.onBusy;
    slow.eraseSector(0);
    expect(busyMs).to.be.closeTo(445 + 0.8 + 2 * 0.03, 1e-9);
  });

  it("can hold a byte that reads correctly only once, until it is written again", () => {
    const flash = new Flash(SECTOR_BYTES, bytes(1, 2));
    flash.destabilize(0, 0x41);
    flash.destabilize(1, 0x42);
    flash.write(1, bytes(0));
    expect([flash.read(0, 2), flash.read(0, 2)].map((read) => [...read])).to.deep.equal([
      [1, 0],
      [0x41, 0],
    ]);
  });

  it("announces reads, and distinguishes mere inspection", () => {
    const flash = new Flash(SECTOR_BYTES, bytes(0));
    const reads: unknown[][] = [];
    flash.onRead = (...read) => reads.push(read);
    flash.read(1, 2);
    flash.view(3, 4);
    expect([flash.isErased(0, 4), flash.isErased(1, 4)]).to.deep.equal([false, true]);
    expect(reads).to.deep.equal([
      [1, 2, "contents"],
      [3, 4, "contents"],
      [0, 4, "isErased"],
      [1, 4, "isErased"],
    ]);
  });
});
