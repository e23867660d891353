// `neopixel` and `embedded:io/digital` as firmware uses them.

import { expect } from "chai";
import type { Light } from "../../../host-sim/hardware/gpio.js";
import { runSource, typesOf } from "../run-source.js";

async function run(body: string) {
  const lights: Light[] = [];
  const source = `import NeoPixel from "neopixel"; import Digital from "embedded:io/digital"; import Timer from "timer";
    const log = (...parts) => trace(parts.join(" ") + "\\n"); const attempt = (f) => { try { log(f()); } catch (e) { log(e.name + ": " + e.message); } };
    ${body}`;
  const { lines, events } = await runSource(source, {
    limitMs: 2_000,
    onLight: (light) => lights.push(light),
  });
  return { lines, events, lights };
}

describe("the LED modules of the virtual platform", () => {
  it("neopixel sends its pixels on update, at a quarter of their brightness by default", async () => {
    const { lights, lines } = await run(`
      const strip = new NeoPixel({ pin: 13, length: 2 });
      log(strip.length, strip.byteLength, strip.brightness, strip.makeRGB(1, 2, 3).toString(16));
      strip.setPixel(0, strip.makeRGB(255, 128, 0)); strip.setPixel(2, 1); strip.setPixel(-1, 1);
      log(strip.getPixel(0).toString(16), strip.getPixel(2));
      strip.update(); strip.brightness = 999; log(strip.brightness); strip.update();
      strip.fill(strip.makeRGB(0, 0, 255), 1); strip.update(); strip.close(); strip.close();
      attempt(() => strip.update());`);
    expect(lines.slice(0, 3)).deep.equal(["2 6 64 20103", "80ff00 ", "255"]);
    expect(lines[3]).match(/^SyntaxError: /);
    expect(lights.map((light) => light.type === "strip" && [...light.pixels])).deep.equal([
      [0, 0, 0, 0, 0, 0],
      [63, 32, 0, 0, 0, 0],
      [254, 127, 0, 0, 0, 0],
      [254, 127, 0, 0, 0, 254],
      [0, 0, 0, 0, 0, 0],
    ]);
  });

  it("neopixel requires pixels and a pin, and aborts if the pin is not an output", async () => {
    const { lines, events } = await run(`
      attempt(() => new NeoPixel({ pin: 13 })); attempt(() => new NeoPixel({ length: 1 }));
      attempt(() => new NeoPixel({ pin: 13, length: 1, order: "RG" }));
      attempt(() => new NeoPixel({ pin: 34, length: 1 })); log("unreachable");`);
    expect(lines.slice(0, 4)).deep.equal([
      "RangeError: no pixels",
      "RangeError: no pin",
      "Error: invalid order",
      "RangeError: no pixels",
    ]);
    expect(typesOf(events).slice(0, 3)).deep.equal(["booted", "restarted: restart", "booted"]);
  });

  it("digital writes levels, and refuses pins that are in use or not outputs", async () => {
    const { lines, lights } = await run(`
      const led = new Digital({ pin: 2, mode: Digital.Output, activeLow: true, initialValue: 0 });
      led.write(1);
      attempt(() => new Digital({ pin: 2, mode: Digital.Output }));
      attempt(() => new Digital({ pin: 34, mode: Digital.Output }));
      attempt(() => new Digital({ mode: Digital.Output }));
      attempt(() => new Digital({ pin: 4, mode: 77 }));
      led.close(); new Digital({ pin: 2, mode: Digital.Output }).write(1);`);
    expect(lines).deep.equal([
      "Error: in use",
      "RangeError: input only",
      "Error: invalid",
      "RangeError: invalid mode",
    ]);
    expect(lights.map((light) => light.type === "pin" && light.level)).deep.equal([1, 0, 0, 1]);
  });
});
