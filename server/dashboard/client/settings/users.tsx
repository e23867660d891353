// Users, for administrators: add, change the role, disable, and create links to set passwords.

import { useState } from "preact/hooks";
import type { UserView } from "../../../api/account-views.js";
import { useAction, useData } from "../data.js";
import { moment } from "../format.js";
import { ChoiceField, TextField } from "../parts/fields.js";
import { InlineForm } from "../parts/inline-form.js";
import { Loading, Problem } from "../parts/notes.js";
import { ask } from "../session.js";
import { Secret } from "./secret.js";

const ROLES = [
  ["viewer", "viewer: reads"],
  ["operator", "operator: changes what devices run"],
  ["admin", "admin: everything"],
] as const;

interface LinkAnswer {
  readonly link?: string;
}

export function Users() {
  const users = useData<{ readonly users: readonly UserView[] }>("/api/users?limit=500");
  const [name, setName] = useState("");
  const [role, setRole] = useState("viewer");
  const [link, setLink] = useState<{ readonly name: string; readonly url: string }>();
  const action = useAction();
  const run = (work: () => Promise<LinkAnswer>, about: string) =>
    action.run(async () => {
      const answer = await work();
      setLink(answer.link ? { name: about, url: new URL(answer.link, location.origin).href } : undefined);
      users.reload();
    });
  const add = () => {
    const added = name.trim().toLowerCase();
    run(() => ask("POST", "/api/users", { name: added, role }), added).then(
      (isDone) => isDone && setName(""),
    );
  };
  const change = (user: string, changes: object) =>
    run(() => ask("PATCH", `/api/users/${user}`, changes), user);
  return (
    <section>
      <h2>Users</h2>
      <Loading {...users} />
      <div class="card table">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Role</th>
              <th scope="col">Last sign-in</th>
              <th scope="col">
                <span class="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {users.data?.users.map((user) => (
              <tr key={user.name}>
                <th scope="row">
                  {user.name} {!user.is_active && <span class="pill failed">disabled</span>}
                </th>
                <td>
                  <select
                    aria-label={`Role of ${user.name}`}
                    value={user.role}
                    aria-disabled={action.isBusy}
                    onChange={(event) => change(user.name, { role: event.currentTarget.value })}
                  >
                    {ROLES.map(([each]) => (
                      <option key={each} value={each}>
                        {each}
                      </option>
                    ))}
                  </select>
                </td>
                <td>
                  {user.last_login_at
                    ? moment(user.last_login_at)
                    : user.has_password
                      ? "never"
                      : "no password yet"}
                </td>
                <td>
                  <span class="row-actions">
                    <button
                      type="button"
                      class="quiet"
                      onClick={() => run(() => ask("POST", `/api/users/${user.name}/link`), user.name)}
                    >
                      Password link
                    </button>
                    <button
                      type="button"
                      class="quiet"
                      onClick={() => change(user.name, { is_active: !user.is_active })}
                    >
                      {user.is_active ? "Disable" : "Enable"}
                    </button>
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <InlineForm
          label="Add a user"
          button="Add user"
          isDisabled={action.isBusy || name.trim() === ""}
          onSubmit={add}
        >
          <TextField label="Name" value={name} onChange={setName} />
          <ChoiceField label="Role" value={role} choices={ROLES} onChange={setRole} />
        </InlineForm>
      </div>
      <Problem text={action.problem} />
      {link && (
        <Secret text={link.url}>
          With this one-time link, {link.name} sets a password. Give it only to them.
        </Secret>
      )}
    </section>
  );
}
