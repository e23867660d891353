// Shows dots as a panel does: each one a square of whole pixels where space allows.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { loadPbm } from "./calls.js";
import { type Dots, fromPbm, toPixels } from "./dots.js";

interface ViewProps {
  readonly dots: Dots;
  readonly label: string;
  /** Pixels of the page per dot; smaller if space is limited. */
  readonly zoom?: number;
}

export function DotView({ dots, label, zoom = 1 }: ViewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    context?.putImageData(new ImageData(toPixels(dots), dots.width, dots.height), 0, 0);
  }, [dots]);
  return (
    <canvas
      ref={canvas}
      class="dots"
      role="img"
      aria-label={label}
      width={dots.width}
      height={dots.height}
      style={{ width: `${dots.width * zoom}px` }}
    />
  );
}

/** A picture from the server, once loaded. */
export function StoredPicture({ id, label }: { readonly id: number; readonly label: string }) {
  const [dots, setDots] = useState<Dots>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let isCancelled = false;
    loadPbm(id).then(
      (pbm) => isCancelled || setDots(fromPbm(pbm)),
      (error: Error) => isCancelled || setProblem(error.message),
    );
    return () => {
      isCancelled = true;
    };
  }, [id]);
  if (problem !== "") return <p class="failure">{problem}</p>;
  return dots ? <DotView dots={dots} label={label} /> : <p class="quiet">Loading…</p>;
}
