// The user's own sessions and password.

import { useState } from "preact/hooks";
import type { viewSession } from "../../../api/account-views.js";
import { useAction, useData } from "../data.js";
import { moment } from "../format.js";
import { Field } from "../parts/fields.js";
import { Loading, Problem } from "../parts/notes.js";
import { ask } from "../session.js";
import { clientName } from "./client-name.js";

type SessionView = ReturnType<typeof viewSession>;

export function Sessions() {
  const sessions = useData<{ readonly sessions: readonly SessionView[] }>("/api/auth/sessions");
  const [done, setDone] = useState("");
  const action = useAction();
  const end = (id: string) =>
    action.run(async () => {
      await ask("DELETE", `/api/auth/sessions/${id}`);
      sessions.reload();
    });
  const changePassword = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    action.run(async () => {
      setDone("");
      await ask("POST", "/api/auth/password", {
        current_password: `${fields.get("current")}`,
        new_password: `${fields.get("next")}`,
      });
      form.reset();
      setDone("The password was changed, and all your other sessions were ended.");
      sessions.reload();
    });
  };
  return (
    <section>
      <h2>Your sessions and password</h2>
      <Loading {...sessions} />
      <div class="card">
        <ul class="rows">
          {sessions.data?.sessions.map((session) => (
            <li key={session.id}>
              <strong title={session.client ?? undefined}>
                {session.is_this_one ? "This browser" : clientName(session.client ?? "Unknown client")}
              </strong>
              <span class="quiet">
                {session.address} · since {moment(session.created_at)}
              </span>
              {!session.is_this_one && (
                <button
                  type="button"
                  class="quiet"
                  aria-disabled={action.isBusy}
                  onClick={() => end(session.id)}
                >
                  End session
                </button>
              )}
            </li>
          ))}
        </ul>
        <form class="inline" onSubmit={changePassword} aria-label="Change your password">
          <Field label="Current password">
            {(ids) => (
              <input {...ids} name="current" type="password" autocomplete="current-password" required />
            )}
          </Field>
          <Field label="New password">
            {(ids) => <input {...ids} name="next" type="password" autocomplete="new-password" required />}
          </Field>
          <button type="submit" aria-disabled={action.isBusy}>
            Change password
          </button>
        </form>
      </div>
      <Problem text={action.problem} />
      <p class="success-note" role="status">
        {done}
      </p>
    </section>
  );
}
