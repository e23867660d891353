// One webhook: its state, actions and deliveries.

import { useEffect, useState } from "preact/hooks";
import type { DeliveryView, WebhookView } from "../../../api/webhook-views.js";
import { useAction, useData } from "../data.js";
import { moment, words } from "../format.js";
import { Button } from "../parts/button.js";
import { Confirm } from "../parts/confirm.js";
import { Loading, Problem } from "../parts/notes.js";
import { Table } from "../parts/table.js";
import { ask } from "../session.js";

interface WebhookProps {
  readonly webhook: WebhookView;
  readonly onChange: () => void;
  readonly onSecret: (secret: string) => void;
}

/** Deliveries are attempted every second; no event reports their end. */
const LOOK_MS = 1500;
const DELIVERY_LIMIT = 20;

export function Webhook({ webhook, onChange, onSecret }: WebhookProps) {
  const path = `/api/webhooks/${webhook.id}`;
  const { pending, given_up } = webhook.deliveries;
  const [isOpen, setIsOpen] = useState(false);
  const [turn, setTurn] = useState(0);
  const action = useAction();
  const change = (method: string, to: string, body?: object) =>
    action.run(async () => {
      const answer = await ask<{ readonly secret?: string }>(method, to, body);
      if (answer.secret !== undefined) onSecret(answer.secret);
      setTurn((before) => before + 1);
      onChange();
    });
  const test = () => change("POST", `${path}/test`).then((isDone) => isDone && setIsOpen(true));
  return (
    <li aria-label={`Webhook ${webhook.url}`}>
      <p class="target">
        <strong class="mono">{webhook.url}</strong>
        {!webhook.is_active && <span class="pill">paused</span>}
        {pending > 0 && <span class="pill pending">{pending} waiting</span>}
        {given_up > 0 && <span class="pill failed">{given_up} given up</span>}
        <span class="quiet">
          {[webhook.events.map(nameTopic).join(", "), webhook.description].filter(Boolean).join(" · ")}
        </span>
      </p>
      <span class="row-actions">
        <Button isDisabled={action.isBusy || !webhook.is_active} onClick={test}>
          Send a test
        </Button>
        <Button isExpanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          Deliveries
        </Button>
        <Button
          isBusy={action.isBusy}
          onClick={() => change("PATCH", path, { is_active: !webhook.is_active })}
        >
          {webhook.is_active ? "Pause" : "Resume"}
        </Button>
        <Confirm name="New secret" onConfirm={() => change("PATCH", path, { rotate_secret: true })}>
          Deliveries are signed with a new secret from now on: the receiver refuses them until it has that
          secret.
        </Confirm>
        <Confirm name="Remove" isDangerous onConfirm={() => ask("DELETE", path).then(onChange)}>
          Nothing more is sent to {webhook.url}, and its deliveries are deleted.
        </Confirm>
      </span>
      <Problem text={action.problem} />
      {isOpen && <Deliveries key={turn} path={path} onChange={onChange} />}
    </li>
  );
}

function Deliveries({ path, onChange }: { readonly path: string; readonly onChange: () => void }) {
  const list = useData<{ readonly deliveries: readonly DeliveryView[]; readonly total: number }>(
    `${path}/deliveries?limit=${DELIVERY_LIMIT}`,
  );
  const action = useAction(list.reload);
  const rows = list.data?.deliveries ?? [];
  const isWaiting = rows.some(({ state }) => state === "pending");
  useEffect(() => {
    if (!isWaiting) return onChange();
    const timer = setInterval(list.reload, LOOK_MS);
    return () => clearInterval(timer);
  }, [isWaiting]);
  if (!list.data) return <Loading {...list} />;
  if (rows.length === 0) return <p class="quiet deliveries">Nothing was sent yet.</p>;
  return (
    <Table
      class="deliveries"
      rows={rows}
      keyOf={({ id }) => id}
      columns={[
        ["Event", ({ kind }) => kind, "mono"],
        ["When", ({ created_at }) => moment(created_at)],
        ["Tries", ({ attempt_count }) => attempt_count],
        [
          "State",
          ({ state, error, status_code }) => (
            <>
              <span class={`pill ${TONES[state]}`}>{words(state)}</span> {error ?? status_code}
            </>
          ),
        ],
        [
          "",
          ({ id, state }) =>
            state !== "pending" && (
              <Button
                isBusy={action.isBusy}
                onClick={() => action.run(() => ask("POST", `${path}/deliveries/${id}/retry`))}
              >
                Try again
              </Button>
            ),
        ],
      ]}
    >
      <Problem text={action.problem} />
    </Table>
  );
}

/** A topic in words. */
export const nameTopic = (topic: string): string => (topic === "*" ? "all events" : topic);

const TONES: Readonly<Record<DeliveryView["state"], string>> = Object.freeze({
  pending: "pending",
  delivered: "success",
  given_up: "failed",
  dropped: "failed",
});
