// What a person at the page may do, parsed from what the page sends. Carries out nothing.

import type { Level } from "../../hardware/pins.js";

export type Action =
  /** The clock: null: as fast as it can. */
  | { readonly type: "pause" }
  | { readonly type: "resume" }
  | { readonly type: "speed"; readonly speed: number | null }
  /** What is wired to a pin of a device. */
  | { readonly type: "drive"; readonly device: string; readonly pin: number; readonly level: Level }
  | {
      readonly type: "surround";
      readonly device: string;
      readonly temperatureC: number;
      readonly humidityPercent: number;
    };

/** Of a request, bytes. */
export const MAX_ACTION_BYTES = 1024;
const MAX_SPEED = 1000;
const MAX_PIN = 63;

/** Undefined: it is none. */
export function readAction(text: string): Action | undefined {
  const { type, speed, device, pin, level, temperatureC, humidityPercent } = fieldsOf(text);
  switch (type) {
    case "pause":
    case "resume":
      return { type };
    case "speed":
      if (speed === null) return { type, speed };
      return isWithin(speed, 0, MAX_SPEED) && speed > 0 ? { type, speed } : undefined;
    case "drive": {
      const isPin = isWithin(pin, 0, MAX_PIN) && Number.isInteger(pin);
      if (typeof device !== "string" || !isPin || (level !== 0 && level !== 1)) return undefined;
      return { type, device, pin, level };
    }
    case "surround":
      if (typeof device !== "string") return undefined;
      if (!isWithin(temperatureC, -40, 80) || !isWithin(humidityPercent, 0, 100)) return undefined;
      return { type, device, temperatureC, humidityPercent };
    default:
      return undefined;
  }
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const isWithin = (value: unknown, low: number, high: number): value is number =>
  typeof value === "number" && value >= low && value <= high;
