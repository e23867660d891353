// Orders to a device, and their outcome. A device carries out an order at its next check.

import { useState } from "preact/hooks";
import type { AbilitiesView } from "../../../api/ability-schemas.js";
import type { OrderView } from "../../../api/device-views.js";
import type { SettingValue } from "../../../shared/setting-values.js";
import { useAction, useData } from "../data.js";
import { duration, moment } from "../format.js";
import { Button } from "../parts/button.js";
import { Confirm } from "../parts/confirm.js";
import { Form } from "../parts/form.js";
import { Problem } from "../parts/notes.js";
import { ask } from "../session.js";
import type { DeviceRow } from "./row.js";
import { changedSettings, type Drafts, SettingFields } from "./setting-fields.js";
import { EMPTY_ROW, type SettingRow, SettingRows, settingsOf } from "./setting-rows.js";

const SHOWN_COUNT = 8;

interface Ordered extends Pick<DeviceRow, "device_id" | "state" | "uses_token" | "interval_seconds"> {
  /** `null`: it has told nothing, and may be ordered anything. */
  readonly abilities: AbilitiesView | null;
}

export function Orders({ device, mayChange }: { readonly device: Ordered; readonly mayChange: boolean }) {
  const path = `/api/devices/${encodeURIComponent(device.device_id)}/orders`;
  const list = useData<{ readonly orders: readonly OrderView[] }>(path, ["event", "device"]);
  const action = useAction(list.reload);
  const orders = list.data?.orders ?? [];
  if (!mayChange && orders.length === 0) return null;
  const send = (order: object) => ask("POST", path, order);
  const { abilities } = device;
  const can = (kind: string) => abilities === null || abilities.orders.includes(kind);
  return (
    <section aria-label="Orders">
      <h2>Orders</h2>
      <div class="card padded device order-card">
        <p class="hint">{introduce(device)}</p>
        {mayChange && device.uses_token && device.state === "approved" && (
          <>
            <p class="actions">
              {can("identify") && (
                <Button isBusy={action.isBusy} onClick={() => action.run(() => send({ kind: "identify" }))}>
                  Identify
                </Button>
              )}
              {can("restart") && (
                <Confirm name="Restart" onConfirm={() => send({ kind: "restart" }).then(list.reload)}>
                  It restarts once, with its next check; while it installs an update, or tries one out,
                  afterwards.
                </Confirm>
              )}
            </p>
            {can("settings") && (
              <SettingsForm
                abilities={abilities}
                isBusy={action.isBusy}
                onEdit={action.forget}
                send={(settings) => action.run(() => send({ kind: "settings", settings }))}
              />
            )}
          </>
        )}
        <Problem text={action.problem || list.problem} />
      </div>
      {orders.length > 0 && (
        <ul class="card rows">
          {orders.slice(0, SHOWN_COUNT).map((order) => (
            <li key={order.id}>
              <strong>{nameOf(order)}</strong>
              <span class={`pill ${TONES[order.state]}`}>{order.state}</span>
              <span class="quiet">{describeState(order)}</span>
              {mayChange && order.state === "pending" && (
                <Button
                  isBusy={action.isBusy}
                  onClick={() => action.run(() => ask("DELETE", `${path}/${order.id}`))}
                >
                  Withdraw<span class="hidden"> {nameOf(order)}</span>
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function introduce({ state, uses_token: usesToken, interval_seconds: seconds }: Ordered): string {
  if (state !== "approved") return "This device can receive orders once it is approved.";
  if (!usesToken)
    return "This device cannot receive orders because it has not authenticated with its own token.";
  const pace = seconds === null ? "" : `: it checks every ${duration(seconds)}`;
  return `It carries out an order at its next check${pace}. Orders that it does not fetch within a day expire.`;
}

interface SettingsProps {
  readonly abilities: AbilitiesView | null;
  readonly isBusy: boolean;
  /** Resolves to whether it succeeded. */
  readonly send: (settings: Readonly<Record<string, SettingValue>>) => Promise<boolean>;
  readonly onEdit: () => void;
}

function SettingsForm({ abilities, isBusy, send, onEdit }: SettingsProps) {
  const [rows, setRows] = useState<readonly SettingRow[]>([EMPTY_ROW]);
  const [drafts, setDrafts] = useState<Drafts>({});
  const offered = abilities?.fields.map((field) => ({ field, value: abilities.values[field.name] }));
  const settings = offered ? (changedSettings(offered, drafts) ?? {}) : settingsOf(rows);
  const submit = async () => {
    if (!(await send(settings))) return;
    setRows([EMPTY_ROW]);
    setDrafts({});
  };
  return (
    <details>
      <summary>Change settings</summary>
      <Form onEdit={onEdit} class="settings-order" label="Change settings" onSubmit={submit}>
        {offered ? (
          <>
            <SettingFields offered={offered} drafts={drafts} onChange={setDrafts} />
            <p class="hint">Values as the device told them {moment(abilities?.told_at ?? "")}.</p>
          </>
        ) : (
          <SettingRows rows={rows} onChange={setRows} />
        )}
        <p class="actions">
          <button type="submit" disabled={isBusy || Object.keys(settings).length === 0}>
            Send settings
          </button>
        </p>
      </Form>
    </details>
  );
}

const TONES = {
  pending: "device-pending",
  done: "success",
  refused: "failed",
  withdrawn: "",
  expired: "failed",
} as const;
function nameOf({ kind, settings }: OrderView): string {
  if (kind !== "settings") return kind === "identify" ? "Identify" : "Restart";
  return Object.entries(settings ?? {})
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");
}

/** One line: by whom, when, and its current state. */
function describeState({
  state,
  reason,
  ordered_by: by,
  created_at: at,
  sent_at: sentAt,
}: OrderView): string {
  const given = `${by}, ${moment(at)}`;
  if (reason) return `${given} · ${reason}`;
  if (state === "expired") return `${given} · ${sentAt === null ? "never fetched" : "sent, never answered"}`;
  if (state !== "pending") return given;
  return `${given} · ${sentAt === null ? "waiting for its next check" : "sent, not done yet"}`;
}
