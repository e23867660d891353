// What a person at the page may do, parsed from what the page sends. Carries out nothing.

/** The clock: pause, go on, another speed (null: as fast as it can). */
export type ClockAction =
  | { readonly type: "pause" }
  | { readonly type: "resume" }
  | { readonly type: "speed"; readonly speed: number | null };

export type Action = ClockAction;

/** Of a request, bytes. */
export const MAX_ACTION_BYTES = 1024;
const MAX_SPEED = 1000;

/** Undefined: it is none. */
export function readAction(text: string): Action | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { type, speed } = value as Readonly<Record<string, unknown>>;
  switch (type) {
    case "pause":
    case "resume":
      return { type };
    case "speed":
      return speed === null || isSpeed(speed) ? { type, speed } : undefined;
    default:
      return undefined;
  }
}

const isSpeed = (value: unknown): value is number =>
  typeof value === "number" && value > 0 && value <= MAX_SPEED;
