// Settings of this server: users, API tokens, device types and registration. Each user sees the parts that they may use.

import { useActor, useMay } from "../actor.js";
import { Empty } from "../parts/notes.js";
import { Enrolment } from "../settings/enrolment.js";
import { Sessions } from "../settings/sessions.js";
import { Tokens } from "../settings/tokens.js";
import { Types } from "../settings/types.js";
import { Users } from "../settings/users.js";
import { Webhooks } from "../settings/webhooks.js";

export function Settings() {
  const actor = useActor();
  const mayUsers = useMay("users:write");
  const mayDevices = useMay("devices:write");
  const maySettings = useMay("settings:write");
  const isPerson = actor?.kind === "user";
  return (
    <>
      <h1>Settings</h1>
      {!isPerson && (
        <Empty title="You are not signed in">Sign in to manage users, tokens and registration.</Empty>
      )}
      {isPerson && <Sessions />}
      {isPerson && <Tokens />}
      {mayUsers && <Users />}
      <Types />
      {mayDevices && <Enrolment />}
      {maySettings && <Webhooks />}
    </>
  );
}
