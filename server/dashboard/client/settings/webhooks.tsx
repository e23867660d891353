// Webhooks. Only administrators see them, because their URLs often contain secrets.

import { useState } from "preact/hooks";
import type { WebhookView } from "../../../api/webhook-views.js";
import { useAction, useData } from "../data.js";
import { CheckGroup, TextField } from "../parts/fields.js";
import { InlineForm } from "../parts/form.js";
import { ask } from "../session.js";
import { Secret } from "./secret.js";
import { Section } from "./section.js";
import { nameTopic, Webhook } from "./webhook.js";

const WEBHOOKS = "/api/webhooks";
/** Common topics; others are typed. */
const TOPICS: readonly string[] = ["*", "rollout.*", "update.failed", "update.*", "device.*", "firmware.*"];

export function Webhooks() {
  const webhooks = useData<{ readonly webhooks: readonly WebhookView[] }>(WEBHOOKS);
  const [url, setUrl] = useState("");
  const [topics, setTopics] = useState<readonly string[]>(["rollout.*", "update.failed"]);
  const [others, setOthers] = useState("");
  const [secret, setSecret] = useState("");
  const action = useAction(webhooks.reload);
  const events = [...topics, ...others.split(/[\s,]+/).filter(Boolean)];
  const add = () =>
    action.run(async () => {
      const added = await ask<{ readonly secret: string }>("POST", WEBHOOKS, { url: url.trim(), events });
      setSecret(added.secret);
      setUrl("");
      setOthers("");
    });
  return (
    <Section
      title="Webhooks"
      loaded={webhooks}
      problem={action.problem}
      footer={secret && <Secret text={secret}>The signing secret of deliveries, shown only now:</Secret>}
    >
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
          onEdit={action.forget}
          label="Add a webhook"
          button="Add webhook"
          isDisabled={action.isBusy || url.trim() === "" || events.length === 0}
          onSubmit={add}
        >
          <TextField label="URL" placeholder="https://example.com/hook" value={url} onChange={setUrl} />
          <CheckGroup
            label="Events"
            choices={TOPICS.map((topic) => [topic, nameTopic(topic)])}
            chosen={topics}
            onChange={setTopics}
          />
          <TextField label="Other events" placeholder="content.*" value={others} onChange={setOthers} />
        </InlineForm>
      </div>
    </Section>
  );
}
