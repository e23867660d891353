// The user's own sessions and password.

import { useState } from "preact/hooks";
import type { SessionView } from "../../../api/account-views.js";
import { useAction, useData } from "../data.js";
import { moment } from "../format.js";
import { Button } from "../parts/button.js";
import { TextField } from "../parts/fields.js";
import { Form } from "../parts/form.js";
import { Done } from "../parts/notes.js";
import { ask } from "../session.js";
import { clientName } from "./client-name.js";
import { Section } from "./section.js";

export function Sessions() {
  const sessions = useData<{ readonly sessions: readonly SessionView[] }>("/api/auth/sessions");
  const [done, setDone] = useState("");
  const action = useAction(sessions.reload);
  const changePassword = (form: HTMLFormElement) => {
    const fields = new FormData(form);
    action.run(async () => {
      setDone("");
      await ask("POST", "/api/auth/password", {
        current_password: `${fields.get("current")}`,
        new_password: `${fields.get("next")}`,
      });
      form.reset();
      setDone("The password was changed, and all your other sessions were ended.");
    });
  };
  return (
    <Section
      title="Your sessions and password"
      loaded={sessions}
      problem={action.problem}
      footer={<Done>{done}</Done>}
    >
      <div class="card">
        <ul class="rows">
          {sessions.data?.sessions.map(({ id, client, address, created_at, is_this_one }) => (
            <li key={id}>
              <strong title={client ?? undefined}>
                {is_this_one ? "This browser" : clientName(client ?? "Unknown client")}
              </strong>
              <span class="quiet">
                {address} · since {moment(created_at)}
              </span>
              {!is_this_one && (
                <Button
                  isBusy={action.isBusy}
                  onClick={() => action.run(() => ask("DELETE", `/api/auth/sessions/${id}`))}
                >
                  End session
                </Button>
              )}
            </li>
          ))}
        </ul>
        <Form onEdit={action.forget} class="inline" label="Change your password" onSubmit={changePassword}>
          <TextField
            label="Current password"
            name="current"
            type="password"
            autocomplete="current-password"
            required
          />
          <TextField label="New password" name="next" type="password" autocomplete="new-password" required />
          <button type="submit" aria-disabled={action.isBusy}>
            Change password
          </button>
        </Form>
      </div>
    </Section>
  );
}
