// The status of a device, by colour and word.

import type { DeviceRow } from "./row.js";

export const StatusLamp = ({ status }: Pick<DeviceRow, "status">) => (
  <span class="status">
    <span class={`lamp ${status}`} aria-hidden="true" />
    {status}
  </span>
);

/** Its group and tags. */
export const LabelPills = ({ group, tags }: Pick<DeviceRow, "group" | "tags">) => (
  <>
    {group !== null && <span class="pill group">{group}</span>}{" "}
    {tags.map((tag) => (
      <span key={tag} class="pill tag">
        {tag}
      </span>
    ))}
  </>
);

/** Nothing for approved devices. */
export const StatePill = ({ state }: Pick<DeviceRow, "state">) =>
  state === "approved" ? null : (
    <span class={`pill device-${state}`}>{state === "pending" ? "to approve" : state}</span>
  );
