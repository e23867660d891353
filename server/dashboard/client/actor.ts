// Who looks at the pages, and what they may do. What they may not is not shown; the server refuses it all the same.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ActorView } from "../../api/account-views.js";
import type { Scope } from "../../shared/permissions.js";

export const ActorContext = createContext<ActorView | undefined>(undefined);

export const useActor = (): ActorView | undefined => useContext(ActorContext);

/** Somebody who only looks from this very machine may change nothing, whatever their role. */
export const mayDo = (actor: ActorView | undefined, scope: Scope): boolean =>
  actor?.scopes.includes(scope) === true && (scope === "read" || actor.kind !== "here");

export function useMay(scope: Scope): boolean {
  return mayDo(useActor(), scope);
}
