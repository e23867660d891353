// The plan of a rollout: devices and bytes per stage, when, and which devices are left out and why.

import type { PlanView } from "../../../api/rollout-views.js";
import { bytes, moment, plural, words } from "../format.js";
import { devicePath } from "../log.js";
import { Notes } from "../parts/notes.js";
import { type Column, Table } from "../parts/table.js";
import { Link } from "../router.js";

export function Plan({ plan }: { readonly plan: PlanView }) {
  return (
    <>
      <p>
        <strong>{plural(plan.device_count, "device")}</strong> would get it, {bytes(plan.bytes)} in all.{" "}
        {plan.excluded_count > 0 && `${plural(plan.excluded_count, "device")} would not.`}
      </p>
      <Table
        class=""
        rows={plan.stages}
        keyOf={(_, index) => index}
        columns={[
          ["Stage", ({ name }) => name],
          ["Devices", ({ device_count }) => device_count.toLocaleString("en")],
          ...(plan.uncounted_count > 0 ? [UNCOUNTED] : []),
          ["Bytes", (stage) => bytes(stage.bytes), "mono"],
          ["Not before", ({ earliest_at }) => (earliest_at === null ? "never" : moment(earliest_at))],
        ]}
      />
      <Notes notes={plan.notes} />
      <Excluded plan={plan} />
    </>
  );
}

const UNCOUNTED: Column<PlanView["stages"][number]> = [
  "Not counted",
  ({ uncounted_count }) => uncounted_count.toLocaleString("en"),
];

/** Counts by reason, and the first devices with their reasons. */
export function Excluded({ plan }: { readonly plan: PlanView }) {
  if (plan.excluded_count === 0) return null;
  return (
    <details>
      <summary>
        Why {plural(plan.excluded_count, "device")} {plan.excluded_count === 1 ? "is" : "are"} left out:{" "}
        {Object.entries(plan.excluded_by)
          .map(([verdict, count]) => `${count.toLocaleString("en")} ${words(verdict).toLowerCase()}`)
          .join(", ")}
      </summary>
      <ul class="reasons">
        {plan.excluded.map(({ device_id, sentence }) => (
          <li key={device_id}>
            <Link to={devicePath(device_id)}>{device_id}</Link> {sentence}
          </li>
        ))}
      </ul>
    </details>
  );
}
