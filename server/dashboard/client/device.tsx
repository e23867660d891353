// One device: what runs on it, its status, and its newest attempt.

import type { DeviceView } from "../../api/device-views.js";
import { Attempt } from "./attempt.js";
import { ago, bytes, signal, versionOf } from "./format.js";
import { devicePath } from "./log.js";
import { attemptsOf, isOnline, type Model } from "./model.js";
import { Link } from "./router.js";

interface DeviceProps {
  readonly model: Model;
  readonly device: DeviceView;
  /** Milliseconds, by this computer's clock. */
  readonly now: number;
}

export function Device({ model, device, now }: DeviceProps) {
  const [latest, ...earlier] = attemptsOf(model, device.device_id);
  const online = isOnline(model, device, now);
  return (
    <article class="card device" aria-label={device.device_id}>
      <header>
        <span class={`lamp ${online ? "on" : "off"}`} aria-hidden="true" />
        <h3>
          <Link to={devicePath(device.device_id)}>{device.device_id}</Link>
        </h3>
        <span class="seen">
          {online ? "online" : "offline"} · {ago(Date.parse(device.last_seen), now + model.clockOffsetMs)}
        </span>
      </header>
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
      <Facts device={device} />
      {latest ? (
        <Attempt update={latest} firmware={model.firmware.get(latest.firmware_id)} events={model.events} />
      ) : (
        <p class="quiet">No updates yet.</p>
      )}
      {earlier.length > 0 && (
        <details>
          <summary>
            {earlier.length} earlier {earlier.length === 1 ? "attempt" : "attempts"}
          </summary>
          {earlier.slice(0, 10).map((update) => (
            <Attempt
              key={update.id}
              update={update}
              firmware={model.firmware.get(update.firmware_id)}
              events={model.events}
            />
          ))}
        </details>
      )}
    </article>
  );
}

export const SLOT_WORDS = {
  new: "new",
  pending_verify: "on trial",
  valid: "valid",
  invalid: "invalid",
  aborted: "aborted",
  undefined: "undefined",
  factory: "factory",
} as const;

const withUnit = (value: number | null, unit: string): string | undefined =>
  value === null ? undefined : `${Math.round(value * 10) / 10}${unit}`;

export function Facts({ device }: { readonly device: DeviceView }) {
  const facts: [string, string | undefined][] = [
    ["Chip", device.chip ?? undefined],
    ["Board", device.hardware === device.chip ? undefined : (device.hardware ?? undefined)],
    ["Boots", device.boot_count === null ? undefined : `${device.boot_count}`],
    ["Last reset", device.reset_reason ?? undefined],
    ["Free heap", device.free_heap === null ? undefined : bytes(device.free_heap)],
    ["Wi-Fi", device.rssi === null ? undefined : `${device.rssi} dBm, ${signal(device.rssi)}`],
    ["Battery", withUnit(device.battery_percent, " %")],
    ["Temperature", withUnit(device.temperature_c, " °C")],
    ["Humidity", withUnit(device.humidity_percent, " %")],
    ["Address", device.address ?? undefined],
    ["Image", device.image_sha256 ? `${device.image_sha256.slice(0, 12)}…` : undefined],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) =>
        value === undefined ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="mono">{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
