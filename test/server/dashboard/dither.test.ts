import { expect } from "chai";
import {
  adjust,
  type DitherMethod,
  dither,
  toGreys,
} from "../../../server/dashboard/client/content/dither.js";

const METHODS: readonly DitherMethod[] = ["threshold", "floyd-steinberg", "atkinson", "ordered"];
const [WIDTH, HEIGHT] = [61, 47];
const COUNT = WIDTH * HEIGHT;

const flat = (grey: number, count = COUNT) => new Uint8Array(count).fill(grey);
const blackCount = (dots: Uint8Array) => dots.reduce((sum, dot) => sum + dot, 0);
/** As defined by sRGB. */
const light = (grey: number) => (grey <= 10 ? grey / 255 / 12.92 : ((grey / 255 + 0.055) / 1.055) ** 2.4);
const lightOf = (greys: Uint8Array) => greys.reduce((sum, grey) => sum + light(grey), 0);
const random = (seed: number) =>
  Uint8Array.from({ length: COUNT }, () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return seed >> 16;
  });

describe("dithering", () => {
  it("leaves black black and white white, whatever the method", () => {
    for (const method of METHODS) {
      expect(blackCount(dither(flat(0), WIDTH, method)), `${method}, black`).equal(COUNT);
      expect(blackCount(dither(flat(255), WIDTH, method)), `${method}, white`).equal(0);
    }
  });

  it("leaves black-and-white pictures unchanged", () => {
    const greys = random(7).map((grey) => (grey < 128 ? 0 : 255));
    const dots = greys.map((grey) => Number(grey === 0));
    for (const method of METHODS) expect(dither(greys, WIDTH, method), method).deep.equal(dots);
  });

  it("cuts at the middle with a threshold", () => {
    expect(dither(Uint8Array.of(0, 127, 128, 255), 4, "threshold")).deep.equal(Uint8Array.of(1, 1, 0, 0));
  });

  it("diffuses all error with Floyd–Steinberg: the brightness stays the same, except the last row's", () => {
    for (const width of [1, 2, 3, 5, 61]) {
      const rowCount = Math.floor(COUNT / width);
      for (const greys of [random(1), random(2), flat(1), flat(60), flat(188), flat(254)]) {
        const picture = greys.subarray(0, rowCount * width);
        const white = picture.length - blackCount(dither(picture, width, "floyd-steinberg"));
        expect(Math.abs(white - lightOf(picture)), `${width} wide`).below(0.5 * width + 0.01);
      }
    }
  });

  it("gathers no dots in the last row of a picture that ends in white", () => {
    const greys = Uint8Array.from({ length: COUNT }, (_, at) => (at < 20 * WIDTH ? 150 : 255));
    for (const method of ["floyd-steinberg", "atkinson"] as const) {
      const dots = dither(greys, WIDTH, method);
      expect(blackCount(dots.subarray(22 * WIDTH)), method).equal(0);
    }
  });

  it("drops error with Atkinson: shadows become blacker, highlights whiter", () => {
    const shadow = COUNT - blackCount(dither(flat(60), WIDTH, "atkinson"));
    expect(shadow).below(lightOf(flat(60)) * 0.9);
    const highlight = COUNT - blackCount(dither(flat(245), WIDTH, "atkinson"));
    expect(highlight).above(lightOf(flat(245)) * 1.02);
  });

  it("adds one dot in each 8 × 8 per step of brightness in an ordered pattern", () => {
    let last = 64;
    const seen = new Set<number>();
    for (let grey = 0; grey < 256; grey++) {
      const dots = dither(flat(grey, 64), 8, "ordered");
      const black = blackCount(dots);
      expect(black, `grey ${grey}`)
        .equal(64 - Math.round(light(grey) * 64))
        .and.most(last);
      last = black;
      seen.add(black);
    }
    expect(seen.size).equal(65);
  });

  it("repeats an ordered pattern, and spreads its dots: a quarter of brightness is every other dot of every other row", () => {
    const grey = 137;
    expect(Math.round(light(grey) * 64)).equal(16);
    const dots = dither(flat(grey, 16 * 16), 16, "ordered");
    for (let y = 0; y < 16; y++) {
      for (let x = 0; x < 16; x++)
        expect(dots[y * 16 + x], `${x}, ${y}`).equal(Number(!(x % 2 === 0 && y % 2 === 0)));
    }
  });

  it("follows a ramp: columns become whiter from left to right, in step with their brightness", () => {
    const [width, height] = [256, 128];
    const greys = Uint8Array.from({ length: width * height }, (_, at) => at % width);
    for (const method of ["floyd-steinberg", "ordered"] as const) {
      const dots = dither(greys, width, method);
      for (let left = 0; left < width; left += 32) {
        let [white, expected] = [0, 0];
        for (let y = 0; y < height; y++) {
          for (let x = left; x < left + 32; x++) {
            white += 1 - dots[y * width + x]!;
            expected += light(x);
          }
        }
        expect(Math.abs(white - expected) / (32 * height), `${method} from ${left}`).below(0.02);
      }
    }
  });

  it("avoids diagonal artefacts: rows are processed in alternating directions", () => {
    const dots = dither(flat(188, 64 * 64), 64, "floyd-steinberg");
    const half = (from: number) =>
      dots.reduce((sum, dot, at) => sum + (at % 64 >= from && at % 64 < from + 32 ? dot : 0), 0);
    expect(Math.abs(half(0) - half(32))).below(40);
  });
});

describe("greys of colours", () => {
  it("have perceptual lightness, and are white where the picture is transparent", () => {
    const rgba = Uint8ClampedArray.of(
      ...[0, 0, 0, 255],
      ...[255, 255, 255, 255],
      ...[77, 77, 77, 255],
      ...[0, 255, 0, 255],
      ...[0, 0, 255, 255],
      ...[0, 0, 0, 0],
    );
    const greys = [...toGreys(rgba)];
    expect(greys).deep.equal([0, 255, 77, 220, 76, 255]);
  });

  it("are unchanged by zero brightness and contrast, and clamped by any other", () => {
    const ramp = Uint8Array.from({ length: 256 }, (_, grey) => grey);
    expect(adjust(ramp, 0, 0)).deep.equal(ramp);
    expect(adjust(ramp, 100, 0)[128]).equal(255);
    expect(adjust(ramp, -100, 0)[128]).equal(0);
    expect(new Set(adjust(ramp, 0, -100))).deep.equal(new Set([128]));
    const hard = adjust(ramp, 0, 100);
    expect([hard[120], hard[128], hard[136]]).deep.equal([0, 128, 255]);
    for (const grey of [1, 100, 200])
      expect(adjust(ramp, 0, 30)[grey]! <= adjust(ramp, 0, 30)[grey + 1]!).equal(true);
  });
});
