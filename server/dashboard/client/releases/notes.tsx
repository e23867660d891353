// Release notes: shown, and editable at any time. Neither signed nor sent to devices.

import { useState } from "preact/hooks";
import type { FirmwareView } from "../../../api/release-views.js";
import { versionOf } from "../format.js";
import { Confirm } from "../parts/confirm.js";
import { Field } from "../parts/fields.js";
import { ask } from "../session.js";

/** Limit of the server. */
const MAX_NOTES_LENGTH = 4000;

interface NotesProps {
  readonly firmware: FirmwareView;
  readonly onChange: () => void;
}

export function EditNotes({ firmware, onChange }: NotesProps) {
  const [text, setText] = useState<string>();
  const save = async () => {
    const notes = (text ?? firmware.release_notes ?? "").trim();
    await ask("PATCH", `/api/ota/admin/firmware/${firmware.id}`, {
      release_notes: notes === "" ? null : notes,
    });
    setText(undefined);
    onChange();
  };
  const name = `${firmware.device_type} ${versionOf(firmware.version, firmware.build_number)}`;
  return (
    <Confirm
      name="Notes"
      confirmName="Save the notes"
      onConfirm={save}
      fields={
        <Field label="Release notes" hint="For people. They are not signed.">
          {(ids) => (
            <textarea
              {...ids}
              rows={8}
              maxLength={MAX_NOTES_LENGTH}
              value={text ?? firmware.release_notes ?? ""}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
      }
    >
      {name}
    </Confirm>
  );
}
