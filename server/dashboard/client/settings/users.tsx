// Users, for administrators: add, change the role, disable, and create links to set passwords.

import { useState } from "preact/hooks";
import type { UserView } from "../../../api/account-views.js";
import { useAction, useData } from "../data.js";
import { moment } from "../format.js";
import { Button } from "../parts/button.js";
import { ChoiceField, Select, TextField } from "../parts/fields.js";
import { InlineForm } from "../parts/form.js";
import { useQuestion } from "../parts/question.js";
import { Table } from "../parts/table.js";
import { ask } from "../session.js";
import { Secret } from "./secret.js";
import { Section } from "./section.js";

const ROLES = [
  ["viewer", "viewer: read-only"],
  ["operator", "operator: changes what devices run"],
  ["admin", "admin: everything"],
] as const;

const ROLE_MEANINGS: Readonly<Record<UserView["role"], string>> = {
  viewer: "They can see everything but the audit log, and change nothing.",
  operator:
    "They can upload releases, run rollouts, and give orders to every device. They manage no users and no settings.",
  admin: "They can do everything: also manage users, and change who may register and what must be signed.",
};

const article = (role: UserView["role"]): string =>
  role === "viewer" ? "a viewer" : role === "operator" ? "an operator" : "an administrator";

export function Users() {
  const users = useData<{ readonly users: readonly UserView[] }>("/api/users?limit=500");
  const [name, setName] = useState("");
  const [role, setRole] = useState<UserView["role"]>("viewer");
  const [link, setLink] = useState<{ readonly name: string; readonly url: string }>();
  const action = useAction(users.reload);
  const send = (method: string, path: string, user: string, body?: object) =>
    action.run(async () => {
      const answer = await ask<{ readonly link?: string }>(method, path, body);
      setLink(answer.link ? { name: user, url: new URL(answer.link, location.origin).href } : undefined);
    });
  const question = useQuestion();
  const change = async (user: string, changes: object) => {
    await ask("PATCH", `/api/users/${user}`, changes);
    setLink(undefined);
    users.reload();
  };
  const askForRole = (user: UserView, next: UserView["role"]) =>
    question.ask({
      title: `Make ${user.name} ${article(next)}?`,
      what: `${ROLE_MEANINGS[next]} Now: ${user.role}.`,
      confirmName: `Make ${article(next)}`,
      isDangerous: next === "admin",
      work: () => change(user.name, { role: next }),
    });
  const askForState = ({ name: user, is_active: isActive, role: has }: UserView) =>
    question.ask({
      title: isActive ? `Disable ${user}?` : `Enable ${user}?`,
      what: isActive
        ? `${user} is signed out everywhere, and API tokens of ${user} stop working.`
        : `${user} can sign in again, as ${article(has)}, and API tokens of ${user} work again.`,
      confirmName: isActive ? "Disable" : "Enable",
      isDangerous: isActive,
      work: () => change(user, { is_active: !isActive }),
    });
  const add = async () => {
    const added = name.trim().toLowerCase();
    if (await send("POST", "/api/users", added, { name: added, role })) setName("");
  };
  return (
    <Section
      title="Users"
      loaded={users}
      problem={action.problem}
      footer={
        link && (
          <Secret text={link.url}>
            With this one-time link, {link.name} sets a password. Give it only to them.
          </Secret>
        )
      }
    >
      {question.dialog}
      <Table
        rows={users.data?.users ?? []}
        keyOf={(user) => user.name}
        columns={[
          ["Name", (user) => [user.name, " ", !user.is_active && <span class="pill failed">disabled</span>]],
          [
            "Role",
            (user) => (
              <Select
                aria-label={`Role of ${user.name}`}
                value={user.role}
                aria-disabled={action.isBusy}
                choices={ROLES.map(([each]) => each)}
                onChange={(next) => askForRole(user, next)}
              />
            ),
          ],
          [
            "Last sign-in",
            ({ last_login_at, has_password }) =>
              last_login_at ? moment(last_login_at) : has_password ? "never" : "no password yet",
          ],
          [
            "",
            (user) => (
              <span class="row-actions">
                <Button onClick={() => send("POST", `/api/users/${user.name}/link`, user.name)}>
                  Password link
                </Button>
                <Button onClick={() => askForState(user)}>{user.is_active ? "Disable" : "Enable"}</Button>
              </span>
            ),
          ],
        ]}
      >
        <InlineForm
          onEdit={action.forget}
          label="Add a user"
          button="Add user"
          isDisabled={action.isBusy || name.trim() === ""}
          onSubmit={add}
        >
          <TextField label="Name" value={name} onChange={setName} />
          <ChoiceField label="Role" value={role} choices={ROLES} onChange={setRole} />
        </InlineForm>
      </Table>
    </Section>
  );
}
