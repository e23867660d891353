// In the corner of every page: the signed-in user, and sign-in or sign-out.

import type { ActorView } from "../../api/account-views.js";
import { signOut } from "./session.js";

export function Account({ actor, onSignIn }: { readonly actor: ActorView; readonly onSignIn: () => void }) {
  if (actor.kind !== "user") {
    return (
      <span class="account">
        <button type="button" class="quiet" onClick={onSignIn}>
          Sign in
        </button>
      </span>
    );
  }
  const leave = () => signOut().finally(() => location.reload());
  return (
    <span class="account">
      <span title={`role: ${actor.role}`}>{actor.name}</span>
      <button type="button" class="quiet" onClick={leave}>
        Sign out
      </button>
    </span>
  );
}
