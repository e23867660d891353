import { expect } from "chai";
import { Flash, SECTOR_BYTES } from "../../../../host-sim/hardware/flash/flash.js";
import { UnerasedWrite } from "../../../../host-sim/hardware/flash/strict-writes.js";
import { deviceWith } from "../../run-source.js";

const bytes = (...values: number[]) => new Uint8Array(values);

function strictFlash(): Flash {
  const flash = new Flash(2 * SECTOR_BYTES);
  flash.strict = { exempt: [{ offset: SECTOR_BYTES, size: SECTOR_BYTES }] };
  return flash;
}

describe("a strict flash", () => {
  it("takes each byte once after an erase", () => {
    const flash = strictFlash();
    flash.write(0, bytes(1, 2));
    flash.write(2, bytes(3));
    flash.eraseSector(0);
    flash.write(0, bytes(4));
    expect([...flash.read(0, 3)]).deep.equal([4, 0xff, 0xff]);
  });

  it("refuses a second write, even of the same byte, with the address, what it expected and what it found", () => {
    const flash = strictFlash();
    flash.write(16, bytes(0xa0));
    for (const value of [0xa0, 0x00, 0xff])
      expect(() => flash.write(15, bytes(1, value))).to.throw(
        UnerasedWrite,
        "write at 0x10 over a byte that is not erased: expected 0xff, found 0xa0",
      );
    expect([...flash.read(15, 2)], "nothing of it is programmed").deep.equal([0xff, 0xa0]);
  });

  it("lets NVS program a byte again, but no write that leaves its range", () => {
    const flash = strictFlash();
    for (const state of [0xfe, 0xfc, 0xf8]) flash.write(SECTOR_BYTES, bytes(state));
    expect(flash.read(SECTOR_BYTES, 1)[0]).equal(0xf8);
    expect(() => flash.write(SECTOR_BYTES - 1, bytes(0, 0xf0))).to.throw(UnerasedWrite, "write at 0x1000");
  });

  it("ends the test of a device whose firmware forgets an erase, whatever the firmware catches", async () => {
    const forgetful = `
      import flash from "embedded:storage/flash";
      import Timer from "timer";
      const slot = flash.open({ path: "nextota" });
      Timer.set(() => {
        try {
          slot.write(new Uint8Array([1]), 8);
          slot.write(new Uint8Array([0]), 8);
        } catch (error) {
          trace("caught\\n");
        }
      }, 10);`;
    const run = deviceWith(forgetful, { strictFlash: true });
    run.device.powerOn();
    const problem = await run.world.runFor(60_000).catch((error: unknown) => error);
    expect(problem).instanceOf(UnerasedWrite);
    expect(run.lines).deep.equal([]);
  });
});
