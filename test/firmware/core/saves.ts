// What a device asks to be saved, as its storage carries it out when everything can be stored.

import type { Effect, SavePurpose } from "../../../firmware/core/effect.js";
import type { Raise } from "../../../firmware/core/event.js";

/** Each value of a save one by one, and then what follows it. */
export const carriedOut = (effects: readonly (Effect | Raise)[]): (Effect | Raise)[] =>
  effects.flatMap((effect): readonly (Effect | Raise)[] =>
    effect.type === "save" ? [...storing(effect.values), ...(effect.next ?? [])] : [effect],
  );

export const purposesOf = (effects: readonly (Effect | Raise)[]): SavePurpose[] =>
  effects.flatMap((effect) => (effect.type === "save" ? [effect.purpose] : []));

const storing = (values: Readonly<Record<string, string | undefined>>): Effect[] =>
  Object.entries(values).map(([key, value]) =>
    value === undefined ? { type: "forget", key } : { type: "store", key, value },
  );
