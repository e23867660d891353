// The settings section of the led app: what a strip may be.

import { expect } from "chai";
import {
  type LedBoard,
  ledSection,
  readLedSettings,
  stripPins,
} from "../../../../firmware/apps/led/core/settings.js";
import type { Values } from "../../../../firmware/core/section.js";
import { changeValues, configured } from "../../../../firmware/core/settings/app-settings.js";

const BOARD: LedBoard = { chip: "esp32", statusPin: 2 };
const SECTION = ledSection(BOARD);

function change(changes: object): Values | string {
  const changed = changeValues(SECTION, SECTION.defaults, JSON.stringify(changes));
  return changed.ok ? changed.value : changed.failure.message;
}

describe("LED settings", () => {
  it("become the strip's parameters", () => {
    const values = change({
      pattern: "chase",
      colour: "#00FF80",
      brightness: 40,
      speed: 7,
      count: 60,
      pin: 13,
    });
    expect(readLedSettings(values as Values)).deep.equal({
      pattern: "chase",
      colour: 0x00ff80,
      brightness: 40,
      speed: 7,
      count: 60,
      pin: 13,
    });
  });

  it("are refused outside their limits, in a sentence", () => {
    for (const [changes, message] of [
      [{ pattern: "toString" }, 'Pattern: "toString" is not one of solid, blink, breathe, rainbow, chase.'],
      [{ count: 301 }, "LEDs on the strip: 301 is not a whole number from 1 to 300."],
      [{ count: "8" }, 'LEDs on the strip: "8" is not a whole number from 1 to 300.'],
      [{ speed: 0 }, "Speed, cycles a minute: 0 is not a whole number from 1 to 600."],
      [{ brightness: 101 }, "Brightness: 101 is not a whole number from 1 to 100."],
      [{ colour: "red" }, 'Colour: "red" is not a colour such as #ff8800.'],
    ] as const)
      expect(change(changes)).equal(message);
  });

  it("never choose a pin of the flash, the console, USB, an input or the status LED", () => {
    for (const pin of [1, 2, 3, 6, 11, 20, 24, 34, 39, 40, -1, 1.5, "13"])
      expect(change({ pin }), `${pin}`).match(
        /^Pin of the data line \(GPIO\): .* is not one of 0, 4, 5, 12,/,
      );
    const pins = (chip: string) => stripPins({ chip, statusPin: undefined });
    expect(pins("esp32c3")).deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(pins("esp32c6")).include.members([0, 8, 23]).and.not.include.members([12, 13, 16, 17, 24]);
    expect(pins("esp32s3")).include.members([0, 18, 21, 48]).and.not.include.members([19, 20, 26, 33, 43]);
    expect(pins("unknown")).deep.equal([]);
  });

  it("take from the build's configuration what its board supports", () => {
    const { section, problems } = configured(SECTION, { pattern: "blink", pin: 6 });
    expect(section.defaults).include({ pattern: "blink", pin: 0 });
    expect(problems.length).equal(1);
  });
});
