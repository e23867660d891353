// What is done to all devices that are ticked: tag them, and approve or block them. The server judges each and says what became of it.

import { useState } from "preact/hooks";
import { useAction } from "../data.js";
import { plural } from "../format.js";
import { TextField } from "../parts/fields.js";
import { Problem } from "../parts/notes.js";
import { ask } from "../session.js";

interface BulkProps {
  readonly ids: readonly string[];
  readonly onDone: () => void;
}

interface Result {
  readonly device_id: string;
  readonly error?: string;
  readonly message?: string;
}

export function Bulk({ ids, onDone }: BulkProps) {
  const [tag, setTag] = useState("");
  const action = useAction();
  const label = (changes: object) =>
    action.run(async () => {
      const { devices } = await ask<{ readonly devices: readonly Result[] }>("POST", "/api/devices/labels", {
        devices: ids,
        ...changes,
      });
      settle(devices);
    });
  const change = (order: "approve" | "block") =>
    action.run(async () => {
      const { results } = await ask<{ readonly results: readonly Result[] }>(
        "POST",
        "/api/device-identities/change",
        { device_ids: ids, action: order },
      );
      settle(results);
    });
  const settle = (results: readonly Result[]) => {
    onDone();
    const failed = results.filter(({ error }) => error !== undefined);
    if (failed.length > 0)
      throw new Error(
        `${failed.length} of ${results.length} were left as they are: ${failed[0]?.device_id}: ${failed[0]?.message ?? failed[0]?.error}`,
      );
  };
  const word = tag.trim();
  return (
    <form
      class="card bulk"
      aria-label="Change the chosen devices"
      onSubmit={(event) => {
        event.preventDefault();
        if (word) label({ add_tags: [word] });
      }}
    >
      <strong>{plural(ids.length, "device")}</strong>
      <TextField label="Tag" value={tag} onChange={setTag} list="tags" />
      <button type="submit" disabled={action.isBusy || !word}>
        Add tag
      </button>
      <button
        type="button"
        class="quiet"
        disabled={action.isBusy || !word}
        onClick={() => label({ remove_tags: [word] })}
      >
        Remove tag
      </button>
      <button type="button" class="quiet" disabled={action.isBusy} onClick={() => change("approve")}>
        Approve
      </button>
      <button type="button" class="danger" disabled={action.isBusy} onClick={() => change("block")}>
        Block
      </button>
      <Problem text={action.problem} />
    </form>
  );
}
