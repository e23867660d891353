// Removes a device from the fleet, with its history kept or erased.

import { useState } from "preact/hooks";
import { Confirm } from "../parts/confirm.js";
import { ChoiceField } from "../parts/fields.js";
import { ask } from "../session.js";

const HISTORIES = [
  ["keep", "Keep its history"],
  ["erase", "Erase its history"],
] as const;
type History = (typeof HISTORIES)[number][0];

const HINTS: Readonly<Record<History, string>> = {
  keep: "Its attempts and its timeline can still be looked at, under removed devices.",
  erase: "Its attempts, its places in rollouts and its timeline are deleted. This cannot be undone.",
};

interface RemovalProps {
  readonly id: string;
  /** What is erased is there no more. */
  readonly onDone: (history: History) => unknown;
}

export function Removal({ id, onDone }: RemovalProps) {
  const [history, setHistory] = useState<History>("keep");
  return (
    <Confirm
      name="Remove"
      title={`Remove ${id}?`}
      confirmName={history === "keep" ? "Remove" : "Remove and erase"}
      isDangerous
      fields={
        <ChoiceField
          label="History"
          value={history}
          choices={HISTORIES}
          hint={HINTS[history]}
          onChange={setHistory}
        />
      }
      onConfirm={() => remove(id, history).then(() => onDone(history))}
    >
      It leaves the fleet with its tags, its pin, its token and the pictures for it. If it checks again, it
      registers like a new device.
    </Confirm>
  );
}

/** What is kept of a device that was removed before. */
export const Erasure = ({ id, onDone }: { readonly id: string; readonly onDone: () => unknown }) => (
  <Confirm
    name="Erase its history"
    title={`Erase the history of ${id}?`}
    isDangerous
    onConfirm={() => remove(id, "erase").then(onDone)}
  >
    {HINTS.erase}
  </Confirm>
);

const remove = (id: string, history: History): Promise<unknown> =>
  ask("DELETE", `/api/devices/${encodeURIComponent(id)}?history=${history}`);
