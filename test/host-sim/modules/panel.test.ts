// Commodetto's Bitmap and Poco, the e-ink driver, the sensors and deep sleep, as firmware uses them.

import { expect } from "chai";
import type { Light } from "../../../host-sim/hardware/gpio.js";
import { home, type Surroundings } from "../../../host-sim/world/surroundings.js";
import { runSource, typesOf } from "../run-source.js";

type Panel = Extract<Light, { readonly type: "panel" }>;

async function run(body: string, changes: Partial<Surroundings> = {}, limitMs = 20_000) {
  const panels: Panel[] = [];
  const source = `import Bitmap from "commodetto/Bitmap"; import Poco from "commodetto/Poco"; import Panel from "gdew0154m09";
    import I2C from "embedded:io/i2c"; import Analog from "embedded:io/analog"; import FFI from "mc/ffi";
    import SHT3x from "embedded:sensor/Humidity-Temperature/SHT3x";
    const log = (...parts) => trace(parts.join(" ") + "\\n"); const attempt = (f) => { try { log(f()); } catch (e) { log(e.name + ": " + e.message); } };
    /** A display of 10 × 4 that prints its calls. */
    class Small { constructor(format = 5) { this.pixelFormat = format; } get width() { return 10; } get height() { return 4; }
      begin(...area) { log("begin", area.join()); } end() { log("end"); }
      send(pixels, offset, length) { log(Array.from(new Uint8Array(pixels, offset, length)).join()); } }
    ${body}`;
  const result = await runSource(source, {
    limitMs,
    surroundings: (atMs) => ({ ...home(atMs), ...changes }),
    onLight: (light) => light.type === "panel" && panels.push(light),
  });
  return { ...result, panels };
}

describe("Poco on the virtual platform", () => {
  it("renders what was drawn, in order, in bands of two rows of grey", async () => {
    const { lines } = await run(`
      const poco = new Poco(new Small());
      log(poco.width, poco.height, poco.makeColor(255, 255, 255), poco.makeColor(255, 0, 0), poco.makeColor(0, 255, 0), poco.makeColor(0, 0, 255));
      poco.begin(); poco.fillRectangle(9, 0, 0, 10, 4); poco.fillRectangle(1, -3, 1, 5, 1); poco.fillRectangle(2, 8, 2, 99, 99);
      poco.end();`);
    expect(lines).deep.equal([
      "10 4 255 95 127 31",
      "begin 0,0,10,4",
      "9,9,9,9,9,9,9,9,9,9,1,1,9,9,9,9,9,9,9,9",
      "9,9,9,9,9,9,9,9,2,2,9,9,9,9,9,9,9,9,2,2",
      "end",
    ]);
  });

  it("draws ones of a monochrome bitmap in front, zeros behind, from the highest bit, rows of whole bytes", async () => {
    const { lines } = await run(`
      const poco = new Poco(new Small(), { pixels: 10 });
      const bytes = Uint8Array.of(99, 0b10000000, 0b01000000, 0b01100000, 0b10000000).buffer;
      const bitmap = new Bitmap(10, 2, Bitmap.Monochrome, bytes, 1);
      poco.begin(0, 0, 10, 2); poco.drawMonochrome(bitmap, 1, 2, 0, 0); poco.end();
      poco.begin(0, 0, 10, 2); poco.fillRectangle(7, 0, 0, 10, 2); poco.drawMonochrome(bitmap, 1, undefined, 0, 0); poco.end();
      poco.begin(2, 1, 4, 2); poco.fillRectangle(7, 0, 0, 10, 9); poco.drawMonochrome(bitmap, undefined, 3, 1, 1); poco.end();`);
    expect(lines.filter((line) => /^\d/.test(line))).deep.equal([
      "1,2,2,2,2,2,2,2,2,1",
      "2,1,1,2,2,2,2,2,1,2",
      "1,7,7,7,7,7,7,7,7,1",
      "7,1,1,7,7,7,7,7,1,7",
      "3,3,3,3,7,7,3,3",
    ]);
  });

  it("refuses what the SDK refuses: formats, bitmaps and lists that are too short, an end without a beginning", async () => {
    const { lines } = await run(`
      attempt(() => new Poco(new Small(7)));
      attempt(() => new Poco(new Small(), { rotation: 90 }));
      attempt(() => new Bitmap(8, 2, Bitmap.Monochrome, new ArrayBuffer(1), 0));
      attempt(() => new Bitmap(8, 2, 0, new ArrayBuffer(2), 0));
      attempt(() => Bitmap.depth(Bitmap.Monochrome)); attempt(() => Bitmap.depth(2));
      const poco = new Poco(new Small(), { displayListLength: 40 });
      attempt(() => poco.end());
      const bitmap = new Bitmap(8, 1, Bitmap.Monochrome, new ArrayBuffer(1), 0);
      poco.begin(); poco.fillRectangle(1, 0, 0, 1, 1); poco.drawMonochrome(bitmap, 1, 2, 0, 0); attempt(() => poco.end());
      poco.begin(); for (let i = 0; i < 3; i++) poco.fillRectangle(1, 0, 0, 1, 1); attempt(() => poco.end());
      poco.close(); attempt(() => poco.width);`);
    expect(lines.filter((line) => /^\w*Error|^\d+$/.test(line))).deep.equal([
      "Error: unsupported pixel format",
      "Error: not configured for requested rotation",
      "RangeError: invalid",
      "Error: invalid format",
      "1",
      "Error: unrecognized bitmap format",
      "Error: inactive",
      "Error: display list overflow",
      "SyntaxError: C: xsGetHostChunk: invalid host data",
    ]);
  });
});

const blackCount = (rows: Uint8Array) =>
  rows.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);

describe("the e-ink panel of the virtual platform", () => {
  const DRAW = `const panel = new Panel({}); const poco = new Poco(panel);
    const show = (color) => { poco.begin(); poco.fillRectangle(color, 0, 0, 200, 200); poco.end(); };`;

  it("turns black and white before its first picture, and shows each picture when it ends", async () => {
    const { panels, lines } = await run(`${DRAW} log(panel.width, panel.height, panel.pixelFormat);
      poco.begin(); poco.fillRectangle(255, 0, 0, 200, 200); poco.fillRectangle(0, 3, 1, 2, 1); poco.end(); show(0); panel.close();`);
    expect(lines).deep.equal(["200 200 5"]);
    const black = panels.map(({ rows }) => blackCount(rows));
    expect(black).deep.equal([40_000, 0, 2, 40_000]);
    expect([...panels[2]!.rows.subarray(24, 27)]).deep.equal([0, 0b00011000, 0]);
  });

  it("renders grey as black and white dots by diffusing six eighths of the error", async () => {
    const { panels } = await run(`${DRAW} for (const grey of [64, 128, 192]) show(grey);`);
    const shares = panels.slice(2).map(({ rows }) => blackCount(rows) / 40_000);
    expect(shares[0]).within(0.7, 0.9);
    expect(shares[1]).within(0.45, 0.55);
    expect(shares[2]).within(0.1, 0.3);
  });

  it("keeps the device busy for as long as e-paper takes, and cannot be used once closed", async () => {
    const { lines } = await run(`const from = Date.now(); ${DRAW} show(0); const first = Date.now();
      show(0); const second = Date.now(); panel.close(); log(first - from, second - first);
      attempt(() => show(0)); attempt(() => panel.begin(1, 0, 200, 200));`);
    const [first, second] = lines[0]!.split(" ").map(Number);
    expect(first).within(2_000, 2_600);
    expect(second).within(300, 400);
    expect(lines.slice(1)).deep.equal(new Array(2).fill("TypeError: cannot coerce undefined to object"));
  });

  it("gives up after a second when there is no panel, and keeps its pins until the next boot", async () => {
    const twice = "attempt(() => new Panel({})); attempt(() => new Panel({}));";
    const { lines } = await run(twice, { hasPanel: false });
    expect(lines).deep.equal(["Error: time out", "Error: in use"]);
    const open = await run(
      "const panel = new Panel({}); attempt(() => new Panel({})); panel.close(); new Panel({}); log(1);",
    );
    expect(open.lines).deep.equal(["Error: in use", "1"]);
  });
});

describe("the sensors of the virtual platform", () => {
  const WIRING = "sensor: { io: I2C, data: 21, clock: 22, address: 0x44, hz: 100_000 }";

  it("measures the environment, with a resolution of 16 bits", async () => {
    const { lines } = await run(
      `const sensor = new SHT3x({ ${WIRING} }); const { thermometer, hygrometer } = sensor.sample();
       log(thermometer.temperature.toFixed(2), hygrometer.humidity.toFixed(2)); sensor.close(); attempt(() => sensor.sample());`,
      { temperatureC: -12.34, humidityPercent: 56.78 },
    );
    expect(lines).deep.equal(["-12.34 56.78", "SyntaxError: C: xsGetHostChunk: invalid host data"]);
  });

  it("answers on its address only, and not at all when it is not connected", async () => {
    const { lines } = await run(`
      attempt(() => new SHT3x({ sensor: { io: I2C, data: 21, clock: 22, address: 0x10 } }));
      attempt(() => new SHT3x({ sensor: { io: I2C, data: 21, clock: 22, address: 0x10 } }));
      attempt(() => new I2C({ data: 34, clock: 22, address: 1, hz: 1 }));
      attempt(() => new I2C({ data: 21, clock: 22, hz: 1 }));`);
    expect(lines).deep.equal([
      "Error: write failed",
      "RangeError: duplicate address",
      "RangeError: unusable pins",
      "RangeError: address required",
    ]);
    const absent = await run(`attempt(() => new SHT3x({ ${WIRING} }));`, { hasSensor: false });
    expect(absent.lines).deep.equal(["Error: write failed"]);
  });

  it("reads the battery through its divider on pins of the first converter only", async () => {
    const { lines } = await run(
      `const analog = new Analog({ pin: 35 }); log(analog.resolution, analog.read());
       attempt(() => new Analog({ pin: 35 })); analog.close(); new Analog({ pin: 35 });
       attempt(() => new Analog({ pin: 23 })); log(new Analog({ pin: 25 }).read());`,
      { batteryMillivolts: 4_000 },
    );
    expect(lines).deep.equal(["12 3342", "RangeError: in use", "RangeError: not analog pin", ""]);
  });
});

describe("deep sleep on the virtual platform", () => {
  it("loses all RAM, starts again with its own reset reason, and lets the time pass", async () => {
    const { lines, events, world } = await run(
      `const ffi = new FFI(); log(ffi.esp_reset_reason(), globalThis.kept, Date.now() < 1000);
       globalThis.kept = 1; if (ffi.esp_reset_reason() !== 8) { ffi.skyslot_deep_sleep(600_000); log("unreachable"); }`,
      {},
      3_600_000,
    );
    expect(lines).deep.equal(["1  true", "8  true"]);
    expect(typesOf(events)).deep.equal(["booted", "restarted: deepSleep", "booted"]);
    expect(world.nowMs).above(600_000);
  });

  it("ends only by the clock: nothing runs meanwhile", async () => {
    const { lines, events, device } = await run(
      `log("awake"); new FFI().skyslot_deep_sleep(600_000);`,
      {},
      599_000,
    );
    expect(lines).deep.equal(["awake"]);
    expect(typesOf(events)).deep.equal(["booted", "restarted: deepSleep"]);
    expect(device.machine).equal(undefined);
    expect(device.isPowered).equal(true);
  });
});
