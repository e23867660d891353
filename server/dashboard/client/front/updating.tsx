// The updates that are under way, one line each, the newest first.

import type { UpdateView } from "../../../api/release-views.js";
import { ago, plural, versionOf, words } from "../format.js";
import { devicePath } from "../log.js";
import { isOpen, type Model } from "../model.js";
import { Table } from "../parts/table.js";
import { Link } from "../router.js";

/** A rollout shows all of its own. */
const MAX_SHOWN_COUNT = 20;

interface UpdatingProps {
  readonly model: Model;
  /** Milliseconds, by the server's clock. */
  readonly now: number;
}

export function Updating({ model, now }: UpdatingProps) {
  const open = [...model.updates.values()].filter(isOpen).sort((a, b) => b.id - a.id);
  if (open.length === 0) return null;
  return (
    <section>
      <h2>Updating now: {plural(open.length, "device")}</h2>
      <Table
        class="card dense"
        rows={open.slice(0, MAX_SHOWN_COUNT)}
        keyOf={({ id }) => id}
        columns={[
          ["Device", ({ device_id }) => <Link to={devicePath(device_id)}>{device_id}</Link>],
          ["From", ({ from_version, from_build }) => versionOf(from_version, from_build), "mono"],
          ["To", (update) => targetOf(model, update), "mono"],
          ["Step", ({ step, status }) => words(step ?? status)],
          ["Downloaded", (update) => <Share model={model} update={update} />],
          ["Since", ({ created_at }) => ago(Date.parse(created_at), now)],
        ]}
      />
    </section>
  );
}

/** The version of the release that an update brings. */
export function targetOf(model: Model, { firmware_id }: UpdateView): string {
  const firmware = model.firmware.get(firmware_id);
  return firmware ? versionOf(firmware.version, firmware.build_number) : `firmware ${firmware_id}`;
}

function Share({ model, update }: { readonly model: Model; readonly update: UpdateView }) {
  const sizeBytes = model.firmware.get(update.firmware_id)?.file_size;
  if (sizeBytes === undefined) return null;
  const share = Math.floor((100 * update.bytes_downloaded) / sizeBytes);
  return (
    <span class="share">
      <progress
        max={sizeBytes}
        value={update.bytes_downloaded}
        aria-label={`Downloaded by ${update.device_id}`}
      />
      <span class="mono">{share} %</span>
    </span>
  );
}
