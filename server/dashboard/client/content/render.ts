// Draws a placed picture onto a canvas.

import type { Placement, Size } from "./placement.js";

/** @param factor pixels of the canvas per pixel of the panel */
export function drawPlaced(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  picture: ImageBitmap,
  panel: Size,
  { turns, scale, x, y }: Placement,
  factor = 1,
): void {
  context.setTransform(factor, 0, 0, factor, 0, 0);
  context.fillStyle = "white";
  context.fillRect(0, 0, panel.width, panel.height);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.translate(x, y);
  context.rotate((turns * Math.PI) / 2);
  context.scale(scale, scale);
  context.drawImage(picture, -picture.width / 2, -picture.height / 2);
}

/** RGBA of each pixel of the panel. */
export function readPlaced(picture: ImageBitmap, panel: Size, placement: Placement): Uint8ClampedArray {
  const context = new OffscreenCanvas(panel.width, panel.height).getContext("2d", {
    willReadFrequently: true,
  });
  if (!context) throw new Error("This browser does not support canvas.");
  drawPlaced(context, picture, panel, placement);
  return context.getImageData(0, 0, panel.width, panel.height).data;
}
