// The user of the pages, and their permissions. What they may not do is hidden; the server refuses it in any case.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ActorView } from "../../api/account-views.js";
import type { Scope } from "../../shared/permissions.js";

export const ActorContext = createContext<ActorView | undefined>(undefined);

export const useActor = (): ActorView | undefined => useContext(ActorContext);

/** Reads from the server's own machine need no sign-in, but may change nothing. */
export const mayDo = (actor: ActorView | undefined, scope: Scope): boolean =>
  actor?.scopes.includes(scope) === true && (scope === "read" || actor.kind !== "here");

export function useMay(scope: Scope): boolean {
  return mayDo(useActor(), scope);
}
