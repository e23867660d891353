// Refuses what an actor may not see or change: a token, and so what it is used for, can be bound to some device types.

import { type Actor, mayChange, mayDo } from "../shared/actor.js";
import { leastRoleFor, type Scope } from "../shared/permissions.js";
import { Refusal } from "../shared/refusal.js";

/** For one thing that is changed, of whose type nothing is told. A route that changes many asks for each. @throws Refusal FORBIDDEN */
export function requireChange(actor: Actor, item: { readonly deviceType: string }): void {
  if (mayChange(actor, item)) return;
  throw new Refusal(
    "FORBIDDEN",
    `${actor.name} may change ${actor.deviceTypes?.join(", ") || "nothing"} only`,
  );
}

/** For one thing that is shown. @throws Refusal FORBIDDEN */
export function requireSight(actor: Actor, item: { readonly deviceType: string }): void {
  if (mayChange(actor, item)) return;
  throw new Refusal("FORBIDDEN", `${actor.name} is for ${actor.deviceTypes?.join(", ") || "nothing"} only`);
}

/** For lists: the filter that leaves what an actor sees. */
export const sightOf = ({ deviceTypes }: Actor): { readonly deviceTypes?: readonly string[] } =>
  deviceTypes === null ? {} : { deviceTypes };

/** For what concerns devices of every type. @throws Refusal FORBIDDEN */
export function requireChangeOfAll({ name, deviceTypes }: Actor): void {
  if (deviceTypes === null) return;
  throw new Refusal(
    "FORBIDDEN",
    `this concerns devices of every type, and ${name} is for ${deviceTypes.join(", ") || "nothing"} only`,
  );
}

/** For what a request does besides what its route needs. @throws Refusal FORBIDDEN */
export function requireScope(actor: Actor, scope: Scope): void {
  if (mayDo(actor, scope)) return;
  throw new Refusal("FORBIDDEN", describeLack(actor, scope));
}

/** What an actor has not. */
export function describeLack(actor: Actor, access: Scope | "person"): string {
  if (access === "person") return `this needs a person who signed in; ${actor.name} is not`;
  const has = actor.kind === "token" ? "the token has not" : `the role ${actor.role} has not`;
  return `this needs ${access}, which ${has}; ${leastRoleFor(access)} is the least role with it`;
}
