// The labels of a device: tags, group, and pinned version.

import { useState } from "preact/hooks";
import { useAction } from "../data.js";
import { TextField } from "../parts/fields.js";
import { Problem } from "../parts/notes.js";
import { ask } from "../session.js";
import type { DeviceRow } from "./row.js";

type Labelled = Pick<DeviceRow, "device_id" | "tags" | "group" | "pin">;

export function Labels({ device, onDone }: { readonly device: Labelled; readonly onDone: () => void }) {
  const [tags, setTags] = useState(device.tags.join(", "));
  const [group, setGroup] = useState(device.group ?? "");
  const [pin, setPin] = useState(device.pin ?? "");
  const action = useAction();
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    action.run(async () => {
      await ask("PATCH", `/api/devices/${encodeURIComponent(device.device_id)}`, {
        tags: tags
          .split(",")
          .map((tag) => tag.trim())
          .filter(Boolean),
        group: group.trim() || null,
        pin: pin.trim() || null,
      });
      onDone();
    });
  };
  return (
    <form class="card padded" onSubmit={save} aria-label="Tags, group and pin">
      <div class="fields">
        <TextField label="Tags" hint="Separated by commas" value={tags} onChange={setTags} />
        <TextField label="Group" value={group} onChange={setGroup} />
        <TextField label="Pin" hint="The only version that it is offered" value={pin} onChange={setPin} />
      </div>
      <Problem text={action.problem} />
      <p class="actions">
        <button type="submit" aria-disabled={action.isBusy}>
          Save
        </button>
      </p>
    </form>
  );
}
