// One device: what runs on it, its status, and its newest attempt.

import type { DeviceView } from "../../api/device-views.js";
import type { UpdateView } from "../../api/release-views.js";
import { Attempt } from "./attempt.js";
import { ago, bytes, signal, versionOf } from "./format.js";
import { devicePath } from "./log.js";
import { attemptsOf, isOnline, type Model } from "./model.js";
import { Terms } from "./parts/terms.js";
import { Link } from "./router.js";

interface DeviceProps {
  readonly model: Model;
  readonly device: DeviceView;
  /** Milliseconds, by this computer's clock. */
  readonly now: number;
}

export function Device({ model, device, now }: DeviceProps) {
  const [latest, ...earlier] = attemptsOf(model, device.device_id);
  const attempt = (update: UpdateView) => (
    <Attempt
      key={update.id}
      update={update}
      firmware={model.firmware.get(update.firmware_id)}
      events={model.events}
    />
  );
  const online = isOnline(model, device, now);
  return (
    <article class="card padded device" aria-label={device.device_id}>
      <header>
        <span class={`lamp ${online ? "on" : "off"}`} aria-hidden="true" />
        <h3>
          <Link to={devicePath(device.device_id)}>{device.device_id}</Link>
        </h3>
        <span class="seen">
          {online ? "online" : "offline"} · {ago(Date.parse(device.last_seen), now + model.clockOffsetMs)}
        </span>
      </header>
      <Running device={device} />
      <Facts device={device} />
      {latest ? attempt(latest) : <p class="quiet">No updates yet.</p>}
      {earlier.length > 0 && (
        <details>
          <summary>
            {earlier.length} earlier {earlier.length === 1 ? "attempt" : "attempts"}
          </summary>
          {earlier.slice(0, 10).map(attempt)}
        </details>
      )}
    </article>
  );
}

const SLOT_WORDS = {
  new: "new",
  pending_verify: "on trial",
  valid: "valid",
  invalid: "invalid",
  aborted: "aborted",
  undefined: "undefined",
  factory: "factory",
} as const;

/** What runs on a device, and in which slot. */
export const Running = ({ device }: { readonly device: DeviceView }) => (
  <p class="version">
    <strong>{versionOf(device.current_version, device.current_build)}</strong>
    <span>
      {device.device_type}
      {device.slot && ` in ${device.slot}`}
    </span>
    {device.slot_state && (
      <span class={`pill slot-${device.slot_state}`}>{SLOT_WORDS[device.slot_state]}</span>
    )}
  </p>
);

const withUnit = (value: number | null, unit: string) =>
  value === null ? null : `${Math.round(value * 10) / 10}${unit}`;

export const Facts = ({ device }: { readonly device: DeviceView }) => (
  <Terms
    class="facts"
    valueClass="mono"
    facts={[
      ["Chip", device.chip],
      ["Board", device.hardware === device.chip ? null : device.hardware],
      ["Boots", device.boot_count],
      ["Last reset", device.reset_reason],
      ["Free heap", device.free_heap === null ? null : bytes(device.free_heap)],
      ["Wi-Fi", device.rssi === null ? null : `${device.rssi} dBm, ${signal(device.rssi)}`],
      ["Battery", withUnit(device.battery_percent, " %")],
      ["Temperature", withUnit(device.temperature_c, " °C")],
      ["Humidity", withUnit(device.humidity_percent, " %")],
      ["Address", device.address],
      ["Image", device.image_sha256 && `${device.image_sha256.slice(0, 12)}…`],
    ]}
  />
);
