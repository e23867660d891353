// Where a picture lies on a panel: turned by quarters, scaled about its middle, moved. Pure. A picture that is wider than the panel
// covers its whole width, one that is narrower stays inside; the same for heights.

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Placement {
  /** Quarters, clockwise. */
  readonly turns: 0 | 1 | 2 | 3;
  /** Pixels of the panel to a pixel of the picture. */
  readonly scale: number;
  /** Its middle, in pixels of the panel. */
  readonly x: number;
  readonly y: number;
}

export type Fitting = "fit" | "fill";

/** How far beyond covering the panel it can be scaled up. */
const MAX_ZOOM = 16;

/** All of the picture (`fit`), or all of the panel (`fill`), with the rest in the middle. */
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

/** The point (x, y) of the panel stays where it is in the picture. */
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

/** Its size as it lies. */
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

/** A picture that is shorter than the panel stays inside, a longer one reaches both ends. */
function clampAxis(middle: number, half: number, length: number): number {
  const [one, other] = [half, length - half];
  return Math.min(Math.max(one, other), Math.max(Math.min(one, other), middle));
}
