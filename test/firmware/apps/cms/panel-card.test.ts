import { expect } from "chai";
import { drawCard } from "../../../../firmware/apps/cms/core/panel-card.js";
import { letterColumns } from "../../../../firmware/apps/cms/core/panel-font.js";

/** The picture as text, cropped to the black pixels. */
function seen(rows: Uint8Array, width: number): string[] {
  const rowBytes = (width + 7) >> 3;
  const lines = Array.from({ length: rows.length / rowBytes }, (_, y) =>
    Array.from({ length: width }, (_, x) =>
      rows[y * rowBytes + (x >> 3)]! & (0x80 >> (x & 7)) ? "#" : ".",
    ).join(""),
  );
  const black = lines.filter((line) => line.includes("#"));
  const left = Math.min(...black.map((line) => line.indexOf("#")));
  const right = Math.max(...black.map((line) => line.lastIndexOf("#")));
  return black.map((line) => line.slice(left, right + 1));
}

describe("a card on a panel", () => {
  it("is readable", () => {
    expect(seen(drawCard([{ text: "Ab1", scale: 1 }], 60, 30), 60)).deep.equal([
      "..#...#.......#.",
      ".#.#..#......##.",
      "#...#.#.##....#.",
      "#...#.##..#...#.",
      "#####.#...#...#.",
      "#...#.#...#...#.",
      "#...#.####...###",
    ]);
  });

  it("is drawn larger by whole pixels, and smaller when it does not fit", () => {
    const large = seen(drawCard([{ text: "I", scale: 3 }], 200, 200), 200);
    expect(large).length(21);
    expect(large.slice(0, 4)).deep.equal(["#########", "#########", "#########", "...###..."]);
    const long = drawCard([{ text: "x".repeat(20), scale: 3 }], 200, 200);
    expect(seen(long, 200)[0]!.length).within(100, 184);
  });

  it("is never drawn beyond the panel, whatever its text", () => {
    const lines = Array.from({ length: 60 }, () => ({ text: "W".repeat(300), scale: 4 }));
    for (const [width, height] of [
      [200, 200],
      [16, 16],
      [13, 40],
    ] as const) {
      const rows = drawCard(lines, width, height);
      expect(rows.length).equal(((width + 7) >> 3) * height);
      const padding = rows.filter(
        (byte, i) => i % ((width + 7) >> 3) === width >> 3 && width % 8 && byte & (0xff >> (width % 8)),
      );
      expect(padding.length).equal(0);
    }
    expect(seen(drawCard(lines, 200, 200), 200).length).within(7, 184);
  });

  it("has a different letter for each character of ASCII, and a box for any other", () => {
    const letters = Array.from({ length: 95 }, (_, i) => String(letterColumns(0x20 + i)));
    expect(new Set(letters).size).equal(95);
    expect(letters.every((columns) => columns.split(",").every((bits) => Number(bits) < 128))).equal(true);
    expect(letterColumns(0xe9)).deep.equal(letterColumns(0x1f600));
  });
});
