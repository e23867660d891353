// The user's own API tokens, each with its scopes.

import { useState } from "preact/hooks";
import type { TokenView } from "../../../api/account-views.js";
import { useActor } from "../actor.js";
import { moment } from "../format.js";
import { CheckGroup, TextField } from "../parts/fields.js";
import { TokenSection } from "./token-section.js";

export function Tokens() {
  const allScopes = useActor()?.scopes ?? [];
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [scopes, setScopes] = useState<readonly string[]>(["read"]);
  const isReady = name.trim() !== "" && scopes.length > 0;
  return (
    <TokenSection
      title="API tokens"
      path="/api/tokens"
      list="tokens"
      ifNone="No tokens yet. Used by programs such as CI to authenticate."
      describe={describe}
      formLabel="Create a token"
      request={
        isReady
          ? { name: name.trim(), scopes, expires_in_days: days.trim() === "" ? null : Number(days) }
          : undefined
      }
      onMade={() => setName("")}
      secretNote="The token, shown only now:"
    >
      <TextField label="Name" placeholder="ci" value={name} onChange={setName} />
      <TextField label="Expires after (days)" placeholder="no expiry" value={days} onChange={setDays} />
      <CheckGroup
        label="Permissions"
        choices={allScopes.map((scope) => [scope, scope])}
        chosen={scopes}
        onChange={setScopes}
      />
    </TokenSection>
  );
}

const describe = ({ scopes, expires_at, last_used_at }: TokenView): string =>
  [
    scopes.join(", "),
    expires_at ? `until ${moment(expires_at)}` : "no expiry",
    last_used_at ? `used ${moment(last_used_at)}` : "never used",
  ].join(" · ");
