import { expect } from "chai";
import { Flash, SECTOR_BYTES } from "../../../../host-sim/hardware/flash/flash.js";
import { FlashFailure, type SectorFault } from "../../../../host-sim/hardware/flash/sector-faults.js";

const BAD = 1;
const OFFSET = BAD * SECTOR_BYTES;

/** Three programmed sectors, of which the middle one is bad. */
function worn(fault: SectorFault): Flash {
  const flash = new Flash(3 * SECTOR_BYTES, new Uint8Array(3 * SECTOR_BYTES).fill(0x55));
  flash.faults.set(BAD, fault);
  return flash;
}

const isAll = (flash: Flash, sector: number, value: number): boolean =>
  flash.read(sector * SECTOR_BYTES, SECTOR_BYTES).every((byte) => byte === value);

describe("a bad sector of the flash", () => {
  it("that fails to erase says so and keeps its contents, while its neighbours are erased", () => {
    const flash = worn({ kind: "eraseError" });
    expect(() => flash.eraseSector(OFFSET)).to.throw(FlashFailure, "erase at 0x1000 failed");
    flash.eraseSector(0);
    expect([0, BAD, 2].map((sector) => isAll(flash, sector, 0x55))).deep.equal([false, true, true]);
  });

  it("stops an erase of several sectors at the bad one", () => {
    const flash = worn({ kind: "eraseError" });
    expect(() => flash.erase(0, 3 * SECTOR_BYTES)).to.throw(FlashFailure);
    expect([isAll(flash, 0, 0xff), isAll(flash, BAD, 0x55), isAll(flash, 2, 0x55)]).deep.equal([
      true,
      true,
      true,
    ]);
  });

  it("that fails to program says so, and a write ends at its start", () => {
    const flash = worn({ kind: "programError" });
    flash.erase(0, 3 * SECTOR_BYTES);
    expect(() => flash.write(OFFSET - 2, new Uint8Array(4))).to.throw(FlashFailure, "write at 0x1000 failed");
    expect([...flash.read(OFFSET - 2, 4)]).deep.equal([0, 0, 0xff, 0xff]);
  });

  it("keeps the chip busy when it fails, and the power on", () => {
    const flash = worn({ kind: "eraseError" });
    let busyMs = 0;
    flash.onBusy = (ms) => {
      busyMs += ms;
    };
    expect(() => flash.eraseSector(OFFSET)).to.throw(FlashFailure);
    expect([busyMs, flash.powered]).deep.equal([45, true]);
  });

  it("can ignore an erase or a write and report success", () => {
    const unerased = worn({ kind: "eraseIgnored" });
    unerased.eraseSector(OFFSET);
    expect(isAll(unerased, BAD, 0x55)).equal(true);
    const unwritten = worn({ kind: "programIgnored" });
    unwritten.eraseSector(OFFSET);
    unwritten.write(OFFSET, new Uint8Array(SECTOR_BYTES));
    expect(isAll(unwritten, BAD, 0xff)).equal(true);
  });

  it("reads back wrong where bits are stuck, at 1 or at 0", () => {
    const high = worn({ kind: "stuckBits", offset: 7, bits: 0b11, value: 1 });
    high.eraseSector(OFFSET);
    high.write(OFFSET, new Uint8Array(16));
    expect([...high.read(OFFSET + 6, 3)]).deep.equal([0, 0b11, 0]);
    const low = worn({ kind: "stuckBits", offset: 7, bits: 0b11, value: 0 });
    low.eraseSector(OFFSET);
    expect([...low.read(OFFSET + 6, 3)]).deep.equal([0xff, 0b1111_1100, 0xff]);
  });

  it("is not the firmware's mistake: a strict flash takes a write over what its erase has left", () => {
    const flash = worn({ kind: "eraseIgnored" });
    flash.strict = { exempt: [] };
    flash.eraseSector(OFFSET);
    flash.write(OFFSET, Uint8Array.of(0));
    expect(flash.read(OFFSET, 1)[0]).equal(0);
  });

  it("works again once the fault is taken away", () => {
    const flash = worn({ kind: "eraseError" });
    flash.faults.set(BAD, undefined);
    flash.eraseSector(OFFSET);
    expect(isAll(flash, BAD, 0xff)).equal(true);
  });
});
