// The strip's patterns: frames are functions of time.

import { expect } from "chai";
import { drawFrame, frameLasts } from "../../../../firmware/apps/led/core/patterns.js";
import { type LedSettings, PATTERN_NAMES } from "../../../../firmware/apps/led/core/settings.js";

const SETTINGS: LedSettings = {
  pattern: "solid",
  pin: 13,
  count: 4,
  speed: 60,
  colour: 0xff8000,
  brightness: 100,
};

function frame(changes: Partial<LedSettings>, atMs = 0): number[][] {
  const settings = { ...SETTINGS, ...changes };
  const pixels = new Uint8Array(settings.count * 3);
  drawFrame(settings, atMs, pixels);
  return Array.from({ length: settings.count }, (_, i) => [...pixels.subarray(i * 3, i * 3 + 3)]);
}

describe("LED patterns", () => {
  it("solid shows its colour, gamma-corrected, and never changes", () => {
    expect(frame({ pattern: "solid" })).deep.equal(Array.from({ length: 4 }, () => [255, 64, 0]));
    expect(frameLasts(SETTINGS, 12_345)).equal(undefined);
  });

  it("blink is on for half of the cycle, off for the other, and requests no frame in between", () => {
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
    const settings = { pattern: "rainbow", count: 3, colour: 0 } as const;
    expect(frame(settings)).deep.equal([
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
    ]);
    expect(frame(settings, 334)[0]).not.deep.equal(frame(settings)[0]);
    expect(frame(settings, 1000)).deep.equal(frame(settings));
    expect(Math.max(...frame({ ...settings, brightness: 25 }).flat())).equal(16);
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

  it("brightness dims every pattern, and switches nothing off", () => {
    for (const pattern of PATTERN_NAMES) {
      const atMs = pattern === "breathe" ? 500 : 0;
      const full = frame({ pattern, colour: 0xffffff }, atMs).flat();
      const dim = frame({ pattern, colour: 0xffffff, brightness: 20 }, atMs).flat();
      const least = frame({ pattern, colour: 0xffffff, brightness: 1 }, atMs).flat();
      expect(Math.max(...dim), pattern).equal(11);
      for (const [i, value] of full.entries()) expect(dim[i]! > 0 && least[i]! > 0, pattern).equal(value > 0);
    }
  });

  it("a buffer of another size throws", () => {
    expect(() => drawFrame(SETTINGS, 0, new Uint8Array(11))).throws(RangeError, "12 bytes, not 11");
  });
});
