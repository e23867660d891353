import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { expect } from "chai";
import { drawPanel, drawStrip, encodePng, showLights } from "../../../host-sim/sim/drawing.js";

/** Chunks of a PNG by type. */
function chunksOf(png: Uint8Array): Map<string, Buffer> {
  const bytes = Buffer.from(png);
  expect(bytes.subarray(0, 8).toString("latin1")).equal("\x89PNG\r\n\x1a\n");
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    chunks.set(bytes.toString("latin1", at + 4, at + 8), bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return chunks;
}

function sizeOf(png: Uint8Array): [number, number] {
  const header = chunksOf(png).get("IHDR")!;
  return [header.readUInt32BE(0), header.readUInt32BE(4)];
}

describe("drawing an LED strip", () => {
  it("writes a PNG whose rows are the pixels", () => {
    const png = encodePng(2, 2, Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9));
    expect([...chunksOf(png).keys()]).deep.equal(["IHDR", "IDAT", "IEND"]);
    expect([...inflateSync(chunksOf(png).get("IDAT")!)]).deep.equal([
      ...[0, 255, 0, 0, 0, 255, 0],
      ...[0, 0, 0, 255, 9, 9, 9],
    ]);
    // the CRC of an empty IEND is the same in every PNG
    expect(Buffer.from(png.subarray(-4)).toString("hex")).equal("ae426082");
  });

  it("refuses sizes that do not fit", () => {
    expect(() => encodePng(2, 2, new Uint8Array(11))).throws(RangeError, "12 bytes, not 11");
  });

  it("puts thirty lights in a row", () => {
    expect(sizeOf(drawStrip(new Uint8Array(3)))).deep.equal([24, 24]);
    expect(sizeOf(drawStrip(new Uint8Array(300 * 3)))).deep.equal([720, 240]);
    const red = inflateSync(chunksOf(drawStrip(Uint8Array.of(255, 0, 0))).get("IDAT")!);
    const middle = 12 * (1 + 24 * 3) + 1 + 12 * 3;
    expect([...red.subarray(middle, middle + 3)]).deep.equal([255, 41, 47]);
  });

  it("draws a panel pixel for pixel, black on white", () => {
    const rows = Uint8Array.of(0b10000000, 0b01000000, 0b00000001, 0b10000000);
    const png = drawPanel({ type: "panel", width: 10, height: 2, rows });
    expect(sizeOf(png)).deep.equal([10, 2]);
    const pixels = inflateSync(chunksOf(png).get("IDAT")!);
    const row = (y: number) =>
      Array.from({ length: 10 }, (_, x) => [...pixels.subarray(y * 31 + 1 + x * 3, y * 31 + 4 + x * 3)]);
    const text = (y: number) =>
      row(y)
        .map((pixel) => ({ "0,0,0": "#", "255,255,255": "." })[String(pixel)])
        .join("");
    expect([text(0), text(1)]).deep.equal(["#........#", ".......##."]);
  });

  it("keeps one picture for each strip and pin", () => {
    const folder = mkdtempSync(join(tmpdir(), "skyslot-lights-"));
    try {
      const show = showLights(join(folder, "pictures"));
      show({ type: "strip", pin: 13, pixels: new Uint8Array(24) });
      show({ type: "pin", pin: 2, level: 0 });
      const off = readFileSync(join(folder, "pictures/pin-2.png"));
      show({ type: "pin", pin: 2, level: 1 });
      expect(readdirSync(join(folder, "pictures")).sort()).deep.equal(["pin-2.png", "strip-13.png"]);
      expect(readFileSync(join(folder, "pictures/pin-2.png")).equals(off)).equal(false);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
