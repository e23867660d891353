// In the corner of every page: the signed-in user, and sign-in or sign-out.

import type { ActorView } from "../../api/account-views.js";
import { Button } from "./parts/button.js";
import { signOut } from "./session.js";

export function Account({ actor, onSignIn }: { readonly actor: ActorView; readonly onSignIn: () => void }) {
  if (actor.kind !== "user") {
    return (
      <span class="account">
        <Button onClick={onSignIn}>Sign in</Button>
      </span>
    );
  }
  const leave = () => signOut().finally(() => location.reload());
  return (
    <span class="account">
      <span title={`role: ${actor.role}`}>{actor.name}</span>
      <Button onClick={leave}>Sign out</Button>
    </span>
  );
}
