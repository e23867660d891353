// In the corner of every page: who is signed in, and the way in or out.

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
