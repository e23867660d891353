// Selects the size of a panel: sizes in use here, those of common panels, or any.

import { useState } from "preact/hooks";
import { ChoiceField, Field } from "../parts/fields.js";
import { useImages } from "./calls.js";
import type { Size } from "./placement.js";

/** The panel of the `cms` app. */
export const DEFAULT_SIZE: Size = Object.freeze({ width: 200, height: 200 });
/** E-paper panels sold with ESP32 boards, by diagonal in inches. */
const COMMON: readonly (readonly [inches: string, size: Size])[] = [
  ["1.54", DEFAULT_SIZE],
  ["2.13", { width: 250, height: 122 }],
  ["2.9", { width: 296, height: 128 }],
  ["3.7", { width: 416, height: 240 }],
  ["4.2", { width: 400, height: 300 }],
  ["5.83", { width: 648, height: 480 }],
  ["7.5", { width: 800, height: 480 }],
];
/** Limit of a PBM here. */
const MAX_SIDE = 4096;
const OTHER = "other";

const textOf = ({ width, height }: Size): string => `${width} × ${height}`;

interface SizeProps {
  readonly size: Size;
  readonly onChange: (size: Size) => void;
}

export function PanelSize({ size, onChange }: SizeProps) {
  // Until they are known, only the common sizes are offered.
  const used = useImages().data?.images ?? [];
  const [isOther, setIsOther] = useState(false);
  const names = new Map(COMMON.map(([inches, each]) => [textOf(each), `${textOf(each)} (${inches}″)`]));
  for (const each of used) if (!names.has(textOf(each))) names.set(textOf(each), `${textOf(each)} (in use)`);
  const isListed = !isOther && names.has(textOf(size));
  const choose = (text: string) => {
    setIsOther(text === OTHER);
    const [width = 0, height = 0] = text.split(" × ").map(Number);
    if (text !== OTHER) onChange({ width, height });
  };
  const side = (name: "width" | "height") => (
    <Field label={name === "width" ? "Pixels wide" : "Pixels high"}>
      {(ids) => (
        <input
          {...ids}
          type="number"
          min={1}
          max={MAX_SIDE}
          value={size[name]}
          onChange={(event) => onChange({ ...size, [name]: bound(event.currentTarget.valueAsNumber) })}
        />
      )}
    </Field>
  );
  return (
    <>
      <ChoiceField
        label="Panel"
        value={isListed ? textOf(size) : OTHER}
        choices={[...names, [OTHER, "Another size"]]}
        onChange={choose}
      />
      {!isListed && (
        <div class="row">
          {side("width")}
          {side("height")}
        </div>
      )}
    </>
  );
}

const bound = (count: number): number => Math.round(Math.min(MAX_SIDE, Math.max(1, count || 1)));
