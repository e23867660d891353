// Refuses what an actor may not change: a token, and so what it is used for, can be bound to some device types.

import { type Actor, mayChange } from "../shared/actor.js";
import { Refusal } from "../shared/refusal.js";

/** For one thing that is changed. A route that changes many asks for each. @throws Refusal FORBIDDEN */
export function requireChange(actor: Actor, item: { readonly deviceType: string }): void {
  if (mayChange(actor, item)) return;
  throw new Refusal(
    "FORBIDDEN",
    `${actor.name} may change ${actor.deviceTypes?.join(", ") || "nothing"}, not ${item.deviceType}`,
  );
}

/** For what concerns devices of every type. @throws Refusal FORBIDDEN */
export const requireChangeOfAll = (actor: Actor): void => {
  if (actor.deviceTypes !== null) requireChange(actor, { deviceType: "every type" });
};
