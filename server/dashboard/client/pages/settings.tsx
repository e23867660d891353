// Settings of this server, in parts: one's own account, users, device types and registration, the trust root, webhooks. Each user sees those that they may
// use. The part is in the URL.

import type { ComponentType } from "preact";
import { useActor, useMay } from "../actor.js";
import type { PageProps } from "../page-props.js";
import { Empty } from "../parts/notes.js";
import { Link, withQuery } from "../router.js";
import { Enrolment } from "../settings/enrolment.js";
import { Sessions } from "../settings/sessions.js";
import { Tokens } from "../settings/tokens.js";
import { Trust } from "../settings/trust.js";
import { Types } from "../settings/types.js";
import { Users } from "../settings/users.js";
import { Webhooks } from "../settings/webhooks.js";

interface Part {
  readonly id: string;
  readonly name: string;
  readonly sections: readonly ComponentType[];
}

const ACCOUNT: Part = Object.freeze({ id: "account", name: "Your account", sections: [Sessions, Tokens] });
const TRUST: Part = Object.freeze({ id: "trust", name: "Trust root", sections: [Trust] });

export function Settings({ place }: PageProps) {
  const isPerson = useActor()?.kind === "user";
  const mayUsers = useMay("users:write");
  const mayDevices = useMay("devices:write");
  const maySettings = useMay("settings:write");
  const types: Part = {
    id: "types",
    name: "Device types",
    sections: mayDevices ? [Types, Enrolment] : [Types],
  };
  const parts: readonly Part[] = [
    ...(isPerson ? [ACCOUNT] : []),
    ...(mayUsers ? [{ id: "users", name: "Users", sections: [Users] }] : []),
    types,
    TRUST,
    ...(maySettings ? [{ id: "webhooks", name: "Webhooks", sections: [Webhooks] }] : []),
  ];
  const wanted = place.query.get("part");
  const part = parts.find(({ id }) => id === wanted) ?? parts[0] ?? types;
  return (
    <>
      <h1>Settings</h1>
      {!isPerson && (
        <Empty title="You are not signed in">Sign in to manage users, tokens and registration.</Empty>
      )}
      {parts.length > 1 && (
        <nav class="tabs" aria-label="Parts of the settings">
          {parts.map(({ id, name }) => (
            <Link key={id} to={withQuery(place, { part: id })} isCurrent={id === part.id}>
              {name}
            </Link>
          ))}
        </nav>
      )}
      {part.sections.map((Section, index) => (
        <Section key={`${part.id} ${index}`} />
      ))}
    </>
  );
}
