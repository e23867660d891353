// What is set up on this server: users, API tokens, device types and who may register. Each part is there for whoever may use it.

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
        <Empty title="You have not signed in">Sign in to look after users, tokens and registration.</Empty>
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
