import { expect } from "chai";
import { checkPicture } from "../../../server/content/content.js";
import { fromPbm, toPbm, toPixels } from "../../../server/dashboard/client/content/dots.js";
import { move, place, turn, zoom } from "../../../server/dashboard/client/content/placement.js";

const PANEL = { width: 200, height: 100 };
const PICTURE = { width: 400, height: 400 };

describe("the place of a picture on a panel", () => {
  it("fits the whole picture in, or fills the whole panel, centred", () => {
    expect(place(PICTURE, PANEL, "fit")).deep.equal({ turns: 0, scale: 0.25, x: 100, y: 50 });
    expect(place(PICTURE, PANEL, "fill")).deep.equal({ turns: 0, scale: 0.5, x: 100, y: 50 });
    expect(place({ width: 100, height: 50 }, PANEL, "fit", 1).scale).equal(1);
    expect(place({ width: 100, height: 50 }, PANEL, "fill", 1).scale).equal(4);
  });

  it("leaves no edge of the panel empty that the picture can cover, and otherwise stays on the panel", () => {
    const filled = place(PICTURE, PANEL, "fill");
    expect(move(filled, PICTURE, PANEL, 30, 30)).include({ x: 100, y: 80 });
    expect(move(filled, PICTURE, PANEL, 0, 999)).include({ y: 100 });
    expect(move(filled, PICTURE, PANEL, 0, -999)).include({ y: 0 });
    const fitted = place(PICTURE, PANEL, "fit");
    expect(move(fitted, PICTURE, PANEL, -999, 20)).include({ x: 50, y: 50 });
    expect(move(fitted, PICTURE, PANEL, 999, 0)).include({ x: 150 });
  });

  it("is zoomed about a fixed point, within limits", () => {
    const filled = place(PICTURE, PANEL, "fill");
    expect(zoom(filled, PICTURE, PANEL, 2, { x: 0, y: 50 })).include({ scale: 1, x: 200, y: 50 });
    expect(zoom(filled, PICTURE, PANEL, 2)).include({ scale: 1, x: 100, y: 50 });
    expect(zoom(filled, PICTURE, PANEL, 1e9).scale).equal(8);
    expect(zoom(filled, PICTURE, PANEL, 1e-9)).include({ scale: 0.25, x: 100, y: 50 });
  });

  it("is the original again after four rotations", () => {
    let placement = place(PICTURE, PANEL, "fill");
    for (const turns of [1, 2, 3, 0]) {
      placement = turn(placement, PICTURE, PANEL, "fill");
      expect(placement.turns).equal(turns);
    }
    expect(placement).deep.equal(place(PICTURE, PANEL, "fill"));
  });
});

describe("dots", () => {
  it("become a PBM that the server accepts, and back", () => {
    for (const [width, height] of [
      [1, 1],
      [8, 2],
      [13, 7],
      [200, 200],
    ] as const) {
      const dots = Uint8Array.from({ length: width * height }, (_, at) => Number((at * 7) % 3 === 0));
      const pbm = toPbm({ width, height, dots });
      checkPicture(pbm, "it");
      expect(fromPbm(pbm)).deep.equal({ width, height, dots });
      expect(fromPbm(pbm.subarray(0, -1))).equal(undefined);
    }
    expect(fromPbm(new TextEncoder().encode("P1\n1 1\n0"))).equal(undefined);
    const pbm = toPbm({ width: 9, height: 1, dots: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 1, 1) });
    expect([...pbm.subarray(-2)]).deep.equal([0x81, 0x80]);
  });

  it("become opaque pixels", () => {
    expect([...toPixels({ width: 2, height: 1, dots: Uint8Array.of(1, 0) })]).deep.equal([
      0, 0, 0, 255, 255, 255, 255, 255,
    ]);
  });
});
