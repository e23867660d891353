// Tokens of one kind: those that are valid, and a form for a new one, whose secret is shown only once.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useAction, useData } from "../data.js";
import type { LiveType } from "../feed.js";
import { Button } from "../parts/button.js";
import { InlineForm } from "../parts/form.js";
import { ask } from "../session.js";
import { Secret } from "./secret.js";
import { Section } from "./section.js";

interface AnyToken {
  readonly id: number;
  readonly name: string;
  readonly revoked_at: string | null;
}

interface TokenSectionProps<Token extends AnyToken> {
  readonly title: string;
  readonly path: string;
  /** Name of the list in the server's answer. */
  readonly list: string;
  readonly about?: readonly LiveType[];
  readonly lead?: ComponentChildren;
  readonly ifNone: string;
  readonly describe: (token: Token) => string;
  readonly formLabel: string;
  /** The request for a new one; Absent: something is missing. */
  readonly request: object | "" | undefined;
  readonly onMade: () => void;
  /** Introduces the secret. */
  readonly secretNote: string;
  /** The fields of the form. */
  readonly children: ComponentChildren;
}

export function TokenSection<Token extends AnyToken>(props: TokenSectionProps<Token>) {
  const { title, path, lead, request } = props;
  const tokens = useData<Readonly<Record<string, readonly Token[]>>>(path, props.about);
  const [secret, setSecret] = useState("");
  const action = useAction(tokens.reload);
  const make = () =>
    action.run(async () => {
      const { token } = await ask<{ readonly token: string }>("POST", path, request || {});
      setSecret(token);
      props.onMade();
    });
  const valid = tokens.data?.[props.list]?.filter(({ revoked_at }) => revoked_at === null) ?? [];
  return (
    <Section
      {...{ title, lead }}
      loaded={tokens}
      problem={action.problem}
      footer={secret && <Secret text={secret}>{props.secretNote}</Secret>}
    >
      <div class="card">
        {tokens.data && valid.length === 0 && <p class="quiet inline">{props.ifNone}</p>}
        {valid.length > 0 && (
          <ul class="rows">
            {valid.map((token) => (
              <li key={token.id}>
                <strong>{token.name}</strong>
                <span class="quiet">{props.describe(token)}</span>
                <Button
                  isBusy={action.isBusy}
                  onClick={() => action.run(() => ask("DELETE", `${path}/${token.id}`))}
                >
                  Revoke<span class="hidden"> {token.name}</span>
                </Button>
              </li>
            ))}
          </ul>
        )}
        <InlineForm
          onEdit={action.forget}
          label={props.formLabel}
          button="Create token"
          isDisabled={action.isBusy || !request}
          onSubmit={make}
        >
          {props.children}
        </InlineForm>
      </div>
    </Section>
  );
}
