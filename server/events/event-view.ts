// An event as the API, webhooks and MQTT send it.

import { time } from "../shared/iso-time.js";
import type { LogEvent } from "../store/store.js";

export const viewEvent = (event: LogEvent) => ({
  id: event.id,
  time: time(event.time),
  kind: event.kind,
  device_id: event.deviceId,
  firmware_id: event.firmwareId,
  update_id: event.updateId,
  message: event.message,
  detail: event.detail,
});

export type EventView = ReturnType<typeof viewEvent>;
