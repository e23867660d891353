// The state of the dashboard: filled by a loaded snapshot, changed by live messages. Pure.

import type { DeviceView, SeenView } from "../../api/device-views.js";
import type { FirmwareView, UpdateView } from "../../api/release-views.js";
import type { EventView } from "../../events/event-view.js";
import type { RolloutView } from "../../shared/rollout-view.js";

export interface Model {
  readonly connection: "loading" | "live" | "broken";
  readonly devices: ReadonlyMap<string, DeviceView>;
  readonly updates: ReadonlyMap<number, UpdateView>;
  readonly firmware: ReadonlyMap<number, FirmwareView>;
  /** Newest first. */
  readonly events: readonly EventView[];
  readonly onlineSeconds: number;
  /** Offset of the server's clock to this computer's, milliseconds. */
  readonly clockOffsetMs: number;
}

export interface Snapshot {
  readonly devices: readonly DeviceView[];
  readonly updates: readonly UpdateView[];
  readonly firmware: readonly FirmwareView[];
  readonly events: readonly EventView[];
  readonly onlineSeconds: number;
  readonly clockOffsetMs: number;
}

export type Change =
  | { readonly type: "loaded"; readonly snapshot: Snapshot }
  | { readonly type: "broken" }
  | { readonly type: "device"; readonly device: DeviceView }
  | { readonly type: "seen"; readonly seen: readonly SeenView[] }
  | { readonly type: "update"; readonly update: UpdateView }
  | { readonly type: "firmware"; readonly firmware: FirmwareView }
  | { readonly type: "rollout"; readonly rollout: RolloutView }
  | { readonly type: "event"; readonly event: EventView };

/** Maximum number of records to keep. */
const MAX_EVENT_COUNT = 500;
const MAX_UPDATE_COUNT = 500;

export const initialModel: Model = {
  connection: "loading",
  devices: new Map(),
  updates: new Map(),
  firmware: new Map(),
  events: [],
  onlineSeconds: 300,
  clockOffsetMs: 0,
};

export function change(model: Model, message: Change): Model {
  switch (message.type) {
    case "loaded":
      return load(message.snapshot);
    case "broken":
      return { ...model, connection: "broken" };
    case "device":
      return { ...model, devices: new Map(model.devices).set(message.device.device_id, message.device) };
    case "seen":
      return { ...model, devices: withSeen(model.devices, message.seen) };
    case "update":
      return { ...model, updates: withUpdate(model.updates, message.update) };
    case "firmware":
      return { ...model, firmware: new Map(model.firmware).set(message.firmware.id, message.firmware) };
    case "rollout":
      // Pages load rollouts with their tallies themselves.
      return model;
    case "event":
      if (model.events.some(({ id }) => id === message.event.id)) return model;
      return {
        ...withoutRemoved(model, message.event),
        events: [message.event, ...model.events].slice(0, MAX_EVENT_COUNT),
      };
  }
}

/** What an event says is there no more. */
function withoutRemoved(model: Model, { kind, device_id, firmware_id }: EventView): Model {
  if (kind === "device.removed" && device_id !== null) {
    const devices = new Map(model.devices);
    devices.delete(device_id);
    return { ...model, devices };
  }
  if (kind === "firmware.deleted" && firmware_id !== null) {
    const firmware = new Map(model.firmware);
    firmware.delete(firmware_id);
    return { ...model, firmware };
  }
  return model;
}

function load({ devices, updates, firmware, ...rest }: Snapshot): Model {
  return {
    ...rest,
    connection: "live",
    devices: new Map(devices.map((device) => [device.device_id, device])),
    updates: new Map([...updates].reverse().map((update) => [update.id, update])),
    firmware: new Map(firmware.map((one) => [one.id, one])),
  };
}

/** Updates devices that the model has; others are ignored. */
function withSeen(devices: Model["devices"], seen: readonly SeenView[]): Model["devices"] {
  const next = new Map(devices);
  for (const each of seen) {
    const known = next.get(each.device_id);
    if (known) next.set(each.device_id, { ...known, ...each });
  }
  return next;
}

function withUpdate(updates: Model["updates"], update: UpdateView): Model["updates"] {
  const next = new Map(updates).set(update.id, update);
  const [oldest] = next.keys();
  if (next.size > MAX_UPDATE_COUNT && oldest !== undefined) next.delete(oldest);
  return next;
}

/** Attempts of one device, newest first. */
export const attemptsOf = (model: Model, deviceId: string): readonly UpdateView[] =>
  [...model.updates.values()].filter(({ device_id }) => device_id === deviceId).sort((a, b) => b.id - a.id);

export const isOpen = ({ status }: UpdateView): boolean => status !== "success" && status !== "failed";

/** `now` is this computer's clock, milliseconds. */
export const isOnline = (model: Model, device: DeviceView, now: number): boolean =>
  now + model.clockOffsetMs - Date.parse(device.last_seen) < model.onlineSeconds * 1000;
