// The labels of a device: tags, group, and pinned version.

import { useAction } from "../data.js";
import { listOf } from "../format.js";
import { TextField } from "../parts/fields.js";
import { Form, Submit, useFields } from "../parts/form.js";
import { ask } from "../session.js";
import type { DeviceRow } from "./row.js";

type Labelled = Pick<DeviceRow, "device_id" | "tags" | "group" | "pin">;

export function Labels({ device, onDone }: { readonly device: Labelled; readonly onDone: () => void }) {
  const { values, field } = useFields({
    tags: device.tags.join(", "),
    group: device.group ?? "",
    pin: device.pin ?? "",
  });
  const action = useAction(onDone);
  const save = () =>
    ask("PATCH", `/api/devices/${encodeURIComponent(device.device_id)}`, {
      tags: listOf(values.tags),
      group: values.group.trim() || null,
      pin: values.pin.trim() || null,
    });
  return (
    <Form
      onEdit={action.forget}
      class="card padded"
      label="Tags, group and pin"
      onSubmit={() => action.run(save)}
    >
      <div class="fields">
        <TextField label="Tags" hint="Separated by commas" {...field("tags")} />
        <TextField label="Group" {...field("group")} />
        <TextField label="Pin" hint="Offer this device only this version" {...field("pin")} />
      </div>
      <Submit problem={action.problem} isBusy={action.isBusy}>
        Save
      </Submit>
    </Form>
  );
}
