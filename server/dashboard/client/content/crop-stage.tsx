// The panel as a frame over the picture: drag or arrow keys move the picture, the wheel, two fingers, + and − zoom.

import { useLayoutEffect, useRef } from "preact/hooks";
import { move, type Placement, type Size, zoom } from "./placement.js";
import { drawPlaced } from "./render.js";

interface StageProps {
  readonly picture: ImageBitmap;
  readonly panel: Size;
  readonly placement: Placement;
  readonly onPlace: (change: (before: Placement) => Placement) => void;
}

/** Sharp on a screen, without an oversized canvas. */
const MAX_CANVAS_SIDE = 1024;
export const ZOOM_STEP = 1.15;
const STEP = 1;
const BIG_STEP = 10;

export function CropStage({ picture, panel, placement, onPlace }: StageProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const pointers = useRef(new Map<number, { readonly x: number; readonly y: number }>());
  const factor = Math.max(1, Math.min(3, MAX_CANVAS_SIDE / Math.max(panel.width, panel.height)));
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context) drawPlaced(context, picture, panel, placement, factor);
  }, [picture, panel, placement, factor]);

  const shift = (dx: number, dy: number) => onPlace((before) => move(before, picture, panel, dx, dy));
  const zoomAt = (by: number, at?: { readonly x: number; readonly y: number }) =>
    onPlace((before) => zoom(before, picture, panel, by, at));
  /** In pixels of the panel. */
  const pointOf = ({ clientX, clientY }: MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const scale = panel.width / box.width;
    return { x: (clientX - box.left) * scale, y: (clientY - box.top) * scale };
  };

  const onPointerDown = (event: PointerEvent) => {
    stage.current?.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, pointOf(event));
  };
  const onPointerMove = (event: PointerEvent) => {
    const before = pointers.current.get(event.pointerId);
    if (!before) return;
    const now = pointOf(event);
    const [other] = [...pointers.current].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    pointers.current.set(event.pointerId, now);
    if (!other) return shift(now.x - before.x, now.y - before.y);
    const distance = (at: typeof now) => Math.hypot(at.x - other.x, at.y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    zoomAt(distance(now) / Math.max(1, distance(before)), middle);
    shift((now.x - before.x) / 2, (now.y - before.y) / 2);
  };
  const onPointerEnd = (event: PointerEvent) => pointers.current.delete(event.pointerId);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.shiftKey ? BIG_STEP : STEP;
    const actions: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => shift(-step, 0),
      ArrowRight: () => shift(step, 0),
      ArrowUp: () => shift(0, -step),
      ArrowDown: () => shift(0, step),
      "+": () => zoomAt(ZOOM_STEP),
      "=": () => zoomAt(ZOOM_STEP),
      "-": () => zoomAt(1 / ZOOM_STEP),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  };
  // The wheel zooms only while the stage has the focus, so that scrolling the page is not interrupted.
  const onWheel = (event: WheelEvent) => {
    if (document.activeElement !== stage.current) return;
    event.preventDefault();
    zoomAt(event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP, pointOf(event));
  };

  return (
    <div
      class="stage"
      style={{ "--ratio": `${panel.width / panel.height}` }}
      ref={stage}
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved with the keyboard
      tabIndex={0}
      aria-label="Crop: arrow keys move the picture, with Shift in larger steps; plus and minus zoom"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerEnd}
      onPointerCancel={onPointerEnd}
      onKeyDown={onKeyDown}
      onWheel={onWheel}
    >
      <canvas
        ref={canvas}
        width={Math.round(panel.width * factor)}
        height={Math.round(panel.height * factor)}
      />
    </div>
  );
}
