// The e-ink panel, through Commodetto's Poco and the SDK's driver: opened for each picture and closed after it, which puts the panel
// into its own deep sleep. core/content.ts decides what is drawn, and when.

import Bitmap from "commodetto/Bitmap";
import Poco from "commodetto/Poco";
import Panel from "gdew0154m09";
import type { Dispatch } from "../../../platform/runner.js";
import type { DrawPanel, OwnEvent } from "../core/vocabulary.js";

/** One rectangle and one bitmap. */
const DISPLAY_LIST_BYTES = 128;

/** Draws 1-bit pictures; a panel that does not answer is reported and blocks nothing else. */
export function createPanel(dispatch: Dispatch<OwnEvent>): (picture: DrawPanel) => void {
  return (picture) => {
    try {
      draw(picture);
      dispatch({ type: "panelDrawn" });
    } catch (error) {
      dispatch({ type: "panelFailed", message: String(error) });
    }
  };
}

function draw({ width, height, bytes, offset }: DrawPanel): void {
  const panel = new Panel({});
  try {
    const poco = new Poco(panel, { displayListLength: DISPLAY_LIST_BYTES });
    const black = poco.makeColor(0, 0, 0);
    const white = poco.makeColor(255, 255, 255);
    const start = bytes.byteOffset + offset;
    const bitmap = new Bitmap(width, height, Bitmap.Monochrome, bytes.buffer as ArrayBuffer, start);
    poco.begin();
    poco.fillRectangle(white, 0, 0, poco.width, poco.height);
    poco.drawMonochrome(bitmap, black, white, 0, 0);
    poco.end();
    poco.close();
  } finally {
    panel.close();
  }
}
