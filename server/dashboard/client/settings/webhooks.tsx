// Webhooks. Only administrators see them, because their URLs often contain secrets.

import { useState } from "preact/hooks";
import type { WebhookView } from "../../../api/webhook-views.js";
import { useAction, useData } from "../data.js";
import { Check, FieldGroup, TextField } from "../parts/fields.js";
import { InlineForm } from "../parts/inline-form.js";
import { Loading, Problem } from "../parts/notes.js";
import { ask } from "../session.js";
import { Secret } from "./secret.js";
import { nameTopic, Webhook } from "./webhook.js";

const WEBHOOKS = "/api/webhooks";
/** Common topics; others are typed. */
const TOPICS = ["*", "rollout.*", "update.failed", "update.*", "device.*", "firmware.*"] as const;

export function Webhooks() {
  const webhooks = useData<{ readonly webhooks: readonly WebhookView[] }>(WEBHOOKS);
  const [url, setUrl] = useState("");
  const [topics, setTopics] = useState<readonly string[]>(["rollout.*", "update.failed"]);
  const [others, setOthers] = useState("");
  const [secret, setSecret] = useState("");
  const action = useAction();
  const events = [...topics, ...others.split(/[\s,]+/).filter(Boolean)];
  const add = () =>
    action.run(async () => {
      const added = await ask<{ readonly secret: string }>("POST", WEBHOOKS, { url: url.trim(), events });
      setSecret(added.secret);
      setUrl("");
      setOthers("");
      webhooks.reload();
    });
  return (
    <section aria-label="Webhooks">
      <h2>Webhooks</h2>
      <Loading {...webhooks} />
      <div class="card">
        {webhooks.data?.webhooks.length === 0 && (
          <p class="quiet inline">
            No webhooks yet. Events are sent to a URL of yours, signed according to Standard Webhooks.
          </p>
        )}
        <ul class="rows webhooks">
          {webhooks.data?.webhooks.map((webhook) => (
            <Webhook key={webhook.id} webhook={webhook} onChange={webhooks.reload} onSecret={setSecret} />
          ))}
        </ul>
        <InlineForm
          label="Add a webhook"
          button="Add webhook"
          isDisabled={action.isBusy || url.trim() === "" || events.length === 0}
          onSubmit={add}
        >
          <TextField label="URL" placeholder="https://example.com/hook" value={url} onChange={setUrl} />
          <FieldGroup label="Events">
            {TOPICS.map((topic) => (
              <Check
                key={topic}
                label={nameTopic(topic)}
                isOn={topics.includes(topic)}
                onChange={(isOn) =>
                  setTopics(isOn ? [...topics, topic] : topics.filter((one) => one !== topic))
                }
              />
            ))}
          </FieldGroup>
          <TextField label="Other events" placeholder="content.*" value={others} onChange={setOthers} />
        </InlineForm>
      </div>
      <Problem text={action.problem} />
      {secret && <Secret text={secret}>The signing secret of deliveries, shown only now:</Secret>}
    </section>
  );
}
