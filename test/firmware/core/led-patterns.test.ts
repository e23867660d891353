// The strip's patterns and settings: frames are functions of time, settings are parsed with their limits.

import { expect } from "chai";
import { drawFrame, frameLasts } from "../../../firmware/core/led-patterns.js";
import {
  isStripPin,
  type LedBoard,
  type LedSettings,
  PATTERN_NAMES,
  parseLedSettings,
  writeLedSettings,
} from "../../../firmware/core/led-settings.js";

const BOARD: LedBoard = { chip: "esp32", statusPin: 2 };
const SETTINGS: LedSettings = { pattern: "solid", pin: 13, count: 4, speed: 60, colour: 0xff8000 };

function frame(changes: Partial<LedSettings>, atMs = 0): number[][] {
  const settings = { ...SETTINGS, ...changes };
  const pixels = new Uint8Array(settings.count * 3);
  drawFrame(settings, atMs, pixels);
  return Array.from({ length: settings.count }, (_, i) => [...pixels.subarray(i * 3, i * 3 + 3)]);
}

const textOf = (changes: object) =>
  JSON.stringify({ pattern: "chase", pin: 13, count: 8, speed: 30, colour: "#00ff80", ...changes });

function codeOf(text: string, board = BOARD): string {
  const result = parseLedSettings(text, board);
  return result.ok ? "ok" : result.failure.code;
}

describe("LED patterns", () => {
  it("solid shows its colour, corrected for the eye, and never changes", () => {
    expect(frame({ pattern: "solid" })).deep.equal(Array.from({ length: 4 }, () => [255, 64, 0]));
    expect(frameLasts(SETTINGS, 12_345)).equal(undefined);
  });

  it("blink is on for half of the cycle, off for the other, and asks for no frame between", () => {
    expect(frame({ pattern: "blink" }, 499)[0]).deep.equal([255, 64, 0]);
    expect(frame({ pattern: "blink" }, 500)[0]).deep.equal([0, 0, 0]);
    expect(frame({ pattern: "blink" }, 1000)[0]).deep.equal([255, 64, 0]);
    expect(frameLasts({ ...SETTINGS, pattern: "blink" }, 100)).equal(400);
    expect(frameLasts({ ...SETTINGS, pattern: "blink" }, 600)).equal(400);
  });

  it("breathe rises from dark to full light and falls again, step by step", () => {
    const levels = Array.from({ length: 101 }, (_, i) => frame({ pattern: "breathe" }, i * 10)[0]![0]!);
    expect(levels[0]).equal(0);
    expect(levels[50]).equal(255);
    expect(levels[100]).equal(0);
    for (let i = 0; i < 50; i++) expect(levels[i + 1]).least(levels[i]!);
    for (let i = 50; i < 100; i++) expect(levels[i + 1]).most(levels[i]!);
  });

  it("rainbow spreads the wheel over the strip and turns it", () => {
    const settings = { pattern: "rainbow", count: 3, colour: 0xff0000 } as const;
    expect(frame(settings)).deep.equal([
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
    ]);
    expect(frame(settings, 334)[0]).not.deep.equal(frame(settings)[0]);
    expect(frame(settings, 1000)).deep.equal(frame(settings));
    expect(Math.max(...frame({ ...settings, colour: 0x400000 }).flat())).equal(16);
  });

  it("chase runs one dot with a tail along the strip, pixel by pixel", () => {
    const settings = { pattern: "chase", count: 10, colour: 0x0000ff } as const;
    const heads = Array.from({ length: 10 }, (_, i) =>
      frame(settings, i * 100).findIndex(([, , blue]) => blue === 255),
    );
    expect(heads).deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(frame(settings, 500).filter(([, , blue]) => blue! > 0)).length(4);
    expect(frameLasts({ ...SETTINGS, ...settings }, 430)).equal(70);
    expect(frame({ ...settings, count: 1 })).deep.equal([[0, 0, 255]]);
  });

  it("every pattern, strip and speed gives bytes in bounds, and a next frame that is neither now nor far away", () => {
    let frameCount = 0;
    for (const pattern of PATTERN_NAMES) {
      for (const count of [1, 2, 3, 7, 300]) {
        for (const speed of [1, 7, 600]) {
          const settings = { ...SETTINGS, pattern, count, speed };
          const pixels = new Uint8Array(count * 3);
          for (const atMs of [0, 1, 99, 100, 59_999, 60_000, 2 ** 31, 2 ** 40 + 1]) {
            drawFrame(settings, atMs, pixels.fill(7));
            const lastsMs = frameLasts(settings, atMs);
            if (pattern !== "solid") expect(lastsMs).within(20, 60_000);
            frameCount += 1;
          }
        }
      }
    }
    expect(frameCount).equal(5 * 5 * 3 * 8);
  });

  it("a buffer of another size is a bug", () => {
    expect(() => drawFrame(SETTINGS, 0, new Uint8Array(11))).throws(RangeError, "12 bytes, not 11");
  });
});

describe("LED settings", () => {
  it("come back from their text as they were", () => {
    for (const pattern of PATTERN_NAMES) {
      const settings = { ...SETTINGS, pattern, colour: 0x00000f };
      expect(parseLedSettings(writeLedSettings(settings), BOARD)).deep.equal({ ok: true, value: settings });
    }
  });

  it("take what is absent from the settings before", () => {
    expect(parseLedSettings('{"colour":"#0000FF"}', BOARD, SETTINGS)).deep.equal({
      ok: true,
      value: { ...SETTINGS, colour: 0x0000ff },
    });
    expect(codeOf('{"colour":"#0000FF"}')).equal("LED_PATTERN_UNKNOWN");
  });

  it("are refused with a code when they are outside their limits", () => {
    expect(codeOf(textOf({}))).equal("ok");
    for (const text of ["", "{", "null", "[]", "7", `${textOf({})}${" ".repeat(400)}`]) {
      expect(codeOf(text), text).equal("LED_MALFORMED");
    }
    for (const pattern of ["toString", "", 1, null])
      expect(codeOf(textOf({ pattern }))).equal("LED_PATTERN_UNKNOWN");
    for (const count of [0, 301, 1.5, "8", -1, null])
      expect(codeOf(textOf({ count }))).equal("LED_OUT_OF_RANGE");
    for (const speed of [0, 601, 0.5, "1"]) expect(codeOf(textOf({ speed }))).equal("LED_OUT_OF_RANGE");
    for (const colour of ["red", "#fff", "#gggggg", "#1234567", 0xff]) {
      expect(codeOf(textOf({ colour }))).equal("LED_COLOUR_MALFORMED");
    }
  });

  it("never choose a pin of the flash, the console, USB, an input or the status LED", () => {
    for (const pin of [1, 2, 3, 6, 11, 20, 24, 34, 39, 40, -1, 1.5, "13"]) {
      expect(codeOf(textOf({ pin })), `${pin}`).equal("LED_PIN_UNUSABLE");
    }
    const pins = (chip: string) =>
      Array.from({ length: 49 }, (_, i) => i).filter((pin) =>
        isStripPin(pin, { chip, statusPin: undefined }),
      );
    expect(pins("esp32c3")).deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(pins("esp32s3")).include.members([0, 18, 21, 48]).and.not.include.members([19, 20, 26, 33, 43]);
    expect(pins("unknown")).deep.equal([]);
    const refused = parseLedSettings(textOf({ pin: 34 }), BOARD);
    expect(!refused.ok && refused.failure.message).match(
      /^Pin 34 cannot drive a strip on the esp32; usable are 0, 2, 4–5,/,
    );
  });
});
