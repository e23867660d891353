// Inputs of `embedded:io/digital`, and the DHT that hangs on a pin: what firmware hears of a virtual device's pins.

import { expect } from "chai";
import type { Sense } from "../../../host-sim/hardware/gpio.js";
import { deviceWith } from "../run-source.js";

const PRELUDE = `import Digital from "embedded:io/digital"; import Timer from "timer"; import FFI from "mc/ffi";
  const log = (...parts) => trace(parts.join(" ") + "\\n"); const attempt = (f) => { try { log(f()); } catch (e) { log(e.name + ": " + e.message); } };
  Timer.set(() => {}, 100_000);`;

async function start(body: string) {
  const senses: Sense[] = [];
  const { world, device, lines } = deviceWith(PRELUDE + body, { onSense: (sense) => senses.push(sense) });
  device.powerOn();
  await world.runFor(1_000);
  return { world, device, lines, senses };
}

describe("digital inputs of the virtual platform", () => {
  it("read what is wired to them, or where they are pulled", async () => {
    const { device, world, lines, senses } = await start(`
      const up = new Digital({ pin: 4, mode: Digital.InputPullUp }), down = new Digital({ pin: 5, mode: Digital.InputPullDown });
      const button = new Digital({ pin: 34, mode: Digital.Input, activeLow: true });
      Timer.repeat(() => log(up.read(), down.read(), button.read()), 100);`);
    expect(lines.at(-1)).equal("1 0 1");
    for (const pin of [4, 5, 34]) device.pins.drive(pin, pin === 4 ? 0 : 1);
    await world.runFor(200);
    expect(lines.at(-1)).equal("0 1 0");
    device.pins.drive(4, undefined);
    await world.runFor(200);
    expect(lines.at(-1)).equal("1 1 0");
    expect(senses.map((sense) => sense.type === "input" && [sense.pin, sense.level])).deep.equal([
      ...[
        [4, 1],
        [5, 0],
        [34, 0],
        [4, 0],
        [5, 1],
        [34, 1],
        [4, 1],
      ],
    ]);
  });

  it("call back after the edges that are asked for; edges before the call are one", async () => {
    const { device, world, lines } = await start(`
      const on = (pin, edge, activeLow = false) => { const input = new Digital({ pin, mode: Digital.Input, edge, activeLow, onReadable() { log(pin, input.read()); } }); };
      on(4, Digital.Rising); on(5, Digital.Falling); on(18, Digital.Rising | Digital.Falling); on(19, Digital.Rising, true);`);
    for (const level of [1, 0] as const) {
      for (const pin of [4, 5, 18, 19]) device.pins.drive(pin, level);
      await world.runFor(50);
    }
    expect(lines).deep.equal(["4 1", "18 1", "5 0", "18 0", "19 1"]);
    lines.splice(0);
    for (const level of [1, 0, 1, 0, 1] as const) device.pins.drive(18, level);
    device.pins.drive(18, 1);
    await world.runFor(50);
    expect(lines).deep.equal(["18 1"]);
  });

  it("refuse what the SDK refuses, and hear nothing after close", async () => {
    const { device, world, lines } = await start(`
      const input = new Digital({ pin: 4, mode: Digital.Input, edge: Digital.Rising, onReadable() { log("heard"); } });
      attempt(() => new Digital({ pin: 4, mode: Digital.Input }));
      attempt(() => new Digital({ pin: 24, mode: Digital.Input }));
      attempt(() => new Digital({ pin: 5, mode: Digital.Input, onReadable() {} }));
      attempt(() => new Digital({ pin: 5, mode: 4 }));
      attempt(() => input.write(1));
      attempt(() => new Digital({ pin: 2, mode: Digital.Output }).read());
      input.close();
      attempt(() => new Digital({ pin: 4, mode: Digital.Input }).read());`);
    device.pins.drive(4, 1);
    await world.runFor(50);
    expect(lines).deep.equal([
      "Error: in use",
      "Error: invalid pin",
      "RangeError: invalid edges",
      "RangeError: invalid mode",
      "Error: can't write input",
      "Error: can't read output",
      "0",
    ]);
  });

  it("are forgotten with the boot, but what is wired stays", async () => {
    const { device, world, lines } = await start(`
      const input = new Digital({ pin: 4, mode: Digital.Input, edge: Digital.Rising, onReadable() { log("heard"); } });
      log("starts with", input.read());`);
    device.powerOff();
    device.pins.drive(4, 1);
    expect(lines).deep.equal(["starts with 0"]);
    device.powerOn();
    await world.runFor(1_000);
    expect(lines).deep.equal(["starts with 0", "starts with 1"]);
  });
});

describe("a virtual DHT", () => {
  const READ = `const read = (pin) => { const bytes = new ArrayBuffer(5); log(new FFI().skyslot_dht_read(pin, bytes), new Uint8Array(bytes).join(" ")); };
    Timer.repeat(() => read(25), 3_000);`;

  it("sends 40 bits of what is around the device, and takes 25 ms for it", async () => {
    const { device, world, lines, senses } = await start(READ);
    device.surroundWith({ temperatureC: -10.1, humidityPercent: 65.2 });
    await world.runFor(3_000);
    // the data sheet's own example
    expect(lines).deep.equal(["0 2 140 128 101 115"]);
    expect(senses).deep.equal([{ type: "climate", pin: 25, temperatureC: -10.1, humidityPercent: 65.2 }]);
    device.surroundWith({ hasSensor: false });
    await world.runFor(3_000);
    expect(lines.at(-1), "ESP_ERR_TIMEOUT").equal("263 0 0 0 0 0");
  });

  it("needs a pin that can be an output, and a buffer of five bytes", async () => {
    const { lines } = await start(
      `${READ} read(34); attempt(() => new FFI().skyslot_dht_read(25, new ArrayBuffer(4)));`,
    );
    expect(lines.slice(0, 2)).deep.equal(["258 0 0 0 0 0", "RangeError: invalid buffer size"]);
  });
});
