// Native code takes the time that was measured on the chip, so that a watchdog fires where it would on the chip.

import { expect } from "chai";
import { runSource } from "../run-source.js";

/** The flash takes time as well: more in one turn than the watchdog allows by default. */
const WIDENED = `import FFI from "mc/ffi"; new FFI().skyslot_widen_watchdog();\n`;
const TIMED = `const timed = (action) => { const start = Date.now(); action(); return Date.now() - start; };\n`;

describe("the time that the SDK's native code takes", () => {
  it("is 77 instructions for each byte of a digest: a second for a 2 MiB slot", async () => {
    const { lines } = await runSource(`
      import { Digest } from "crypt";
      ${TIMED}
      const digest = new Digest("SHA256");
      const piece = new Uint8Array(65536);
      trace(timed(() => { for (let count = 0; count < 32; count++) digest.write(piece); }), "\\n");
    `);
    expect(Number(lines[0])).to.be.within(1000, 1030);
  });

  it("is 0.2 ms for a write of key-value, and 1.5 ms for 4 KiB of an update", async () => {
    const { lines } = await runSource(`
      import KeyValue from "embedded:storage/key-value";
      import Flash from "embedded:storage/flash";
      import Update from "embedded:update";
      ${WIDENED}${TIMED}
      const store = KeyValue.open({ path: "test", format: "uint32" });
      trace(timed(() => { for (let count = 0; count < 100; count++) store.write("key" + count, count); }), "\\n");
      const update = Update.open({ partition: Flash.open({ path: "nextota" }) });
      const block = new Uint8Array(4096).fill(0xe9);
      trace(timed(() => { for (let count = 0; count < 100; count++) update.write(block); }), "\\n");
    `);
    expect(Number(lines[0])).to.be.at.least(20);
    expect(Number(lines[1])).to.be.at.least(150);
  });

  it("is 0.7 ms for adding all parts of a block, and 0.3 ms for 31 parities", async () => {
    const { lines } = await runSource(`
      ${WIDENED}${TIMED}
      const native = new FFI();
      const [all, sum, parities] = [new Uint8Array(10).fill(255, 0, 9), new ArrayBuffer(224), new ArrayBuffer(31 * 224)];
      all[9] = 3;
      const repeat = (action) => timed(() => { for (let count = 0; count < 100; count++) action(); });
      trace(native.skyslot_add_parts(0, 0, 16384, all.buffer, sum), "\\n");
      trace(repeat(() => native.skyslot_add_parts(0, 0, 16384, all.buffer, sum)), "\\n");
      trace(repeat(() => native.skyslot_add_parities(parities, 0x7fffffff, sum)), "\\n");
    `);
    expect(lines[0]).equal("0");
    expect(Number(lines[1])).to.be.at.least(70);
    expect(Number(lines[2])).to.be.within(30, 33);
  });

  it("is 0.4 s for complete() of 456 KiB", async () => {
    const { lines } = await runSource(`
      import Flash from "embedded:storage/flash";
      import Update from "embedded:update";
      ${WIDENED}${TIMED}
      const running = Flash.open({ path: "running" });
      const update = Update.open({ partition: Flash.open({ path: "nextota" }) });
      for (let offset = 0; offset < 456 * 1024; offset += 4096) update.write(running.read(4096, offset));
      trace(timed(() => update.complete()), "\\n");
    `);
    expect(Number(lines[0])).to.be.at.least(412);
  });

  it("makes the watchdog fire during a digest of too much at once", async () => {
    const { events } = await runSource(
      `import { Digest } from "crypt";
      const digest = new Digest("SHA256");
      const piece = new Uint8Array(65536);
      for (let count = 0; count < 200; count++) digest.write(piece);`,
      { limitMs: 6_000 },
    );
    expect(events.find((event) => event.type === "restarted")).to.include({ cause: "watchdog" });
  });
});
