// The user's own API tokens, each with its scopes; the secret is shown only once.

import { useState } from "preact/hooks";
import type { TokenView } from "../../../api/account-views.js";
import { useActor } from "../actor.js";
import { useAction, useData } from "../data.js";
import { moment } from "../format.js";
import { Check, FieldGroup, TextField } from "../parts/fields.js";
import { InlineForm } from "../parts/inline-form.js";
import { Loading, Problem } from "../parts/notes.js";
import { ask } from "../session.js";
import { Secret } from "./secret.js";

export function Tokens() {
  const actor = useActor();
  const tokens = useData<{ readonly tokens: readonly TokenView[] }>("/api/tokens");
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [scopes, setScopes] = useState<readonly string[]>(["read"]);
  const [secret, setSecret] = useState("");
  const action = useAction();
  const make = () =>
    action.run(async () => {
      const expires = days.trim() === "" ? null : Number(days);
      const made = await ask<{ readonly token: string }>("POST", "/api/tokens", {
        name: name.trim(),
        scopes,
        expires_in_days: expires,
      });
      setSecret(made.token);
      setName("");
      tokens.reload();
    });
  const revoke = (id: number) =>
    action.run(async () => {
      await ask("DELETE", `/api/tokens/${id}`);
      tokens.reload();
    });
  const valid = tokens.data?.tokens.filter(({ revoked_at }) => revoked_at === null) ?? [];
  return (
    <section>
      <h2>API tokens</h2>
      <Loading {...tokens} />
      <div class="card">
        {tokens.data && valid.length === 0 && (
          <p class="quiet inline">No tokens yet. Programs such as your build sign in with one.</p>
        )}
        {valid.length > 0 && (
          <ul class="rows">
            {valid.map((token) => (
              <li key={token.id}>
                <strong>{token.name}</strong>
                <span class="quiet">
                  {token.scopes.join(", ")} ·{" "}
                  {token.expires_at ? `until ${moment(token.expires_at)}` : "no expiry"} ·{" "}
                  {token.last_used_at ? `used ${moment(token.last_used_at)}` : "never used"}
                </span>
                <button
                  type="button"
                  class="quiet"
                  aria-disabled={action.isBusy}
                  onClick={() => revoke(token.id)}
                >
                  Revoke<span class="hidden"> {token.name}</span>
                </button>
              </li>
            ))}
          </ul>
        )}
        <InlineForm
          label="Create a token"
          button="Create token"
          isDisabled={action.isBusy || name.trim() === "" || scopes.length === 0}
          onSubmit={make}
        >
          <TextField label="Name" placeholder="ci" value={name} onChange={setName} />
          <TextField label="Days" placeholder="no expiry" value={days} onChange={setDays} />
          <FieldGroup label="May">
            {actor?.scopes.map((scope) => (
              <Check
                key={scope}
                label={scope}
                isOn={scopes.includes(scope)}
                onChange={(isOn) =>
                  setScopes(isOn ? [...scopes, scope] : scopes.filter((one) => one !== scope))
                }
              />
            ))}
          </FieldGroup>
        </InlineForm>
      </div>
      <Problem text={action.problem} />
      {secret && <Secret text={secret}>The token, shown only now:</Secret>}
    </section>
  );
}
