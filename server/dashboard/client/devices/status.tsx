// How a device is, by colour and by word.

import type { DeviceRow } from "./row.js";

export const StatusLamp = ({ status }: Pick<DeviceRow, "status">) => (
  <span class="status">
    <span class={`lamp ${status}`} aria-hidden="true" />
    {status}
  </span>
);

/** Approved devices need no word. */
export const StatePill = ({ state }: Pick<DeviceRow, "state">) =>
  state === "approved" ? null : (
    <span class={`pill device-${state}`}>{state === "pending" ? "to approve" : state}</span>
  );
