// The placement of a picture on a panel: rotated by quarters, scaled around its centre, moved. Pure. A picture wider than the panel
// covers its whole width, a narrower one stays inside; the same for heights.

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Placement {
  /** Quarter turns, clockwise. */
  readonly turns: 0 | 1 | 2 | 3;
  /** Pixels of the panel per pixel of the picture. */
  readonly scale: number;
  /** Its centre, in pixels of the panel. */
  readonly x: number;
  readonly y: number;
}

export type Fitting = "fit" | "fill";

/** Maximum scale, relative to covering the panel. */
const MAX_ZOOM = 16;

/** Shows the whole picture (`fit`) or fills the panel (`fill`), centred. */
export function place(
  picture: Size,
  panel: Size,
  fitting: Fitting,
  turns: Placement["turns"] = 0,
): Placement {
  const { width, height } = turned(picture, turns);
  const ratios = [panel.width / width, panel.height / height];
  const scale = fitting === "fit" ? Math.min(...ratios) : Math.max(...ratios);
  return { turns, scale, x: panel.width / 2, y: panel.height / 2 };
}

export function move(placement: Placement, picture: Size, panel: Size, dx: number, dy: number): Placement {
  return clamp({ ...placement, x: placement.x + dx, y: placement.y + dy }, picture, panel);
}

/** The point (x, y) of the panel stays on the same point of the picture. */
export function zoom(
  placement: Placement,
  picture: Size,
  panel: Size,
  factor: number,
  { x, y }: { readonly x: number; readonly y: number } = { x: panel.width / 2, y: panel.height / 2 },
): Placement {
  const least = place(picture, panel, "fit", placement.turns).scale;
  const most = place(picture, panel, "fill", placement.turns).scale * MAX_ZOOM;
  const scale = Math.min(most, Math.max(least, placement.scale * factor));
  const ratio = scale / placement.scale;
  const moved = { ...placement, scale, x: x + (placement.x - x) * ratio, y: y + (placement.y - y) * ratio };
  return clamp(moved, picture, panel);
}

export const turn = (placement: Placement, picture: Size, panel: Size, fitting: Fitting): Placement =>
  place(picture, panel, fitting, ((placement.turns + 1) % 4) as Placement["turns"]);

/** Its size after rotation. */
const turned = ({ width, height }: Size, turns: number): Size =>
  turns % 2 === 0 ? { width, height } : { width: height, height: width };

function clamp(placement: Placement, picture: Size, panel: Size): Placement {
  const { width, height } = turned(picture, placement.turns);
  return {
    ...placement,
    x: clampAxis(placement.x, (width * placement.scale) / 2, panel.width),
    y: clampAxis(placement.y, (height * placement.scale) / 2, panel.height),
  };
}

/** A shorter picture stays inside the panel, a longer one covers it. */
function clampAxis(middle: number, half: number, length: number): number {
  const [one, other] = [half, length - half];
  return Math.min(Math.max(one, other), Math.max(Math.min(one, other), middle));
}
