// What the task watchdog of a virtual device watches: the loop, which feeds it around every message, and the IDLE task, which runs only
// while the loop waits.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { RESET_REASON } from "../../../host-sim/machine/machine.js";
import { WATCHDOG_MS, WIDE_WATCHDOG_MS } from "../../../host-sim/machine/watchdog.js";
import { World } from "../../../host-sim/world/world.js";
import { runSource, typesOf } from "../run-source.js";

const PRELUDE = `import Timer from "timer"; import FFI from "mc/ffi"; import flash from "embedded:storage/flash";
  const ffi = new FFI(); const slot = flash.open({ path: "nextota" });
  const work = (ms) => { const end = Date.now() + ms; while (Date.now() < end); };
  if (ffi.esp_reset_reason() === 1) {`;
const BOOT_MS = 350;

/** Runs this in the first boot, for 30 s: the time until the watchdog fired; undefined if it did not. */
async function bittenAfterMs(body: string): Promise<number | undefined> {
  const world = new World({ seed: 1 });
  let bittenAtMs: number | undefined;
  const { device, events } = await runSource(`${PRELUDE}${body}\n}`, {
    world,
    limitMs: 30_000,
    onEvent: (event) => {
      if (event.type === "booted" && event.bootCount === 2) bittenAtMs = world.nowMs - 2 * BOOT_MS;
    },
  });
  if (bittenAtMs === undefined) {
    expect(typesOf(events)).deep.equal(["booted"]);
    return undefined;
  }
  expect(typesOf(events)).deep.equal(["booted", "restarted: watchdog", "booted"]);
  expect(device.lastReset).equal(RESET_REASON.taskWatchdog);
  return bittenAtMs;
}

describe("the watchdog of a virtual device", () => {
  const PLATFORM = fileURLToPath(new URL("../../../firmware/platform/", import.meta.url));

  it("is set up as our sdkconfigs and our C function have it", () => {
    const files = readdirSync(`${PLATFORM}sdkconfig`, { recursive: true, encoding: "utf8" });
    const sdkconfigs = files.filter((file) => file.endsWith("sdkconfig.defaults"));
    expect(sdkconfigs.length).above(3);
    for (const file of sdkconfigs) {
      const text = readFileSync(`${PLATFORM}sdkconfig/${file}`, "utf8");
      for (const line of [
        `CONFIG_ESP_TASK_WDT_TIMEOUT_S=${WATCHDOG_MS / 1000}`,
        "CONFIG_ESP_TASK_WDT_PANIC=y",
        "CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0=y",
      ])
        expect(text.split("\n"), file).include(line);
    }
    const factor = WIDE_WATCHDOG_MS / WATCHDOG_MS;
    expect(readFileSync(`${PLATFORM}native/skyslot-ota.c`, "utf8")).contain(
      `.timeout_ms = ${factor} * CONFIG_ESP_TASK_WDT_TIMEOUT_S * 1000`,
    );
  });
});

describe("a loop that never waits", () => {
  const never: Readonly<Record<string, string>> = {
    "timers of 0 ms": `const turn = () => { work(10); Timer.set(turn, 0); }; turn();`,
    "timers of 0 ms that take next to no time": `const turn = () => { work(1); Timer.set(turn, 0); }; turn();`,
    "promise jobs": `const turn = () => { work(10); return Promise.resolve().then(turn); }; turn();`,
    "a timer that is due again when its turn ends": `Timer.repeat(() => work(30), 20);`,
    "a sector erased in each turn": `let block = 0; const turn = () => { slot.eraseBlock(block++ % 400); Timer.set(turn, 0); }; turn();`,
  };
  for (const [name, body] of Object.entries(never)) {
    it(`is ended by the watchdog, because the IDLE task starves: ${name}`, async () => {
      expect(await bittenAfterMs(body)).within(5_000, 5_100);
    });
  }

  const waits: Readonly<Record<string, string>> = {
    "a delay of one tick in each turn": `const turn = () => { work(100); ffi.vTaskDelay(1); Timer.set(turn, 0); }; turn();`,
    "a timer of 1 ms": `const turn = () => { work(100); Timer.set(turn, 1); }; turn();`,
    "a turn of 4.9 s, and a wait of 1 ms": `const turn = () => { work(4900); Timer.set(turn, 1); }; turn();`,
    "an erase of many sectors at once, which gives way between them": `const turn = () => { slot.eraseBlock(0, 20); Timer.set(turn, 0); }; turn();`,
  };
  for (const [name, body] of Object.entries(waits)) {
    it(`is not this one: ${name}`, async () => {
      expect(await bittenAfterMs(body)).equal(undefined);
    });
  }
});

describe("a turn that lasts", () => {
  it("is ended by the watchdog though it lets the IDLE task run", async () => {
    expect(await bittenAfterMs("for (;;) { work(10); ffi.vTaskDelay(1); }")).within(5_000, 5_100);
  });

  it("counts the time that the flash takes", async () => {
    expect(await bittenAfterMs("slot.eraseBlock(0, 120); for (;;) work(1);")).within(5_000, 5_600);
    expect(await bittenAfterMs("slot.eraseBlock(0, 60); work(1500);")).equal(undefined);
  });

  it("may last for 10 s if firmware has extended the watchdog", async () => {
    const widened = "ffi.skyslot_widen_watchdog();";
    expect(await bittenAfterMs(`${widened} work(9900);`)).equal(undefined);
    expect(await bittenAfterMs(`${widened} work(10100);`)).within(10_000, 10_100);
    expect(await bittenAfterMs(`work(4900); ${widened} work(9900);`)).equal(undefined);
  });

  it("may last for 5 s again in the next boot", async () => {
    const source = `import FFI from "mc/ffi"; const ffi = new FFI();
      if (ffi.esp_reset_reason() === 1) { ffi.skyslot_widen_watchdog(); ffi.esp_restart(); }
      if (ffi.esp_reset_reason() === 3) { const end = Date.now() + 6000; while (Date.now() < end); }`;
    expect(typesOf((await runSource(source)).events)).deep.equal([
      "booted",
      "restarted: restart",
      "booted",
      "restarted: watchdog",
      "booted",
    ]);
  });
});
