// What the device knows: the state of each machine, and the status that was shown last. No behaviour.

import { initialLocalApi, type LocalApiState } from "./local/api-state.js";
import { type EspotaState, initialEspota } from "./local/espota.js";
import { initialPresence, type PresenceState } from "./local/presence.js";
import { initialPush, type PushState } from "./local/push.js";
import { initialOrders, type OrdersState } from "./server/orders.js";
import { initialReport, type ReportState } from "./server/report.js";
import type { Status } from "./status.js";
import { initialTrial, type TrialState } from "./trial/boot-validation.js";
import { type CrashGuardState, initialCrashGuard } from "./trial/crash-guard.js";
import { initialUpdate, type UpdateState } from "./update/update.js";
import { initialLinkWatch, type LinkWatchState } from "./wifi/link-watch.js";
import { initialPortal } from "./wifi/portal.js";
import type { PortalState } from "./wifi/portal-state.js";
import { initialWifi, type WifiState } from "./wifi/wifi.js";

export interface DeviceState {
  readonly linkWatch: LinkWatchState;
  readonly wifi: WifiState;
  readonly portal: PortalState;
  readonly update: UpdateState;
  readonly trial: TrialState;
  readonly report: ReportState;
  readonly localApi: LocalApiState;
  readonly presence: PresenceState;
  readonly crashGuard: CrashGuardState;
  readonly push: PushState;
  readonly espota: EspotaState;
  readonly orders: OrdersState;
  /** What was shown last. */
  readonly status: Status;
}

const UNNAMED = Object.freeze({ deviceName: "", type: "", version: "", deviceId: "", page: "" });

export const initialDevice: DeviceState = Object.freeze({
  linkWatch: initialLinkWatch,
  wifi: initialWifi,
  portal: Object.freeze(initialPortal(UNNAMED)),
  update: initialUpdate,
  trial: initialTrial,
  report: initialReport,
  localApi: initialLocalApi,
  presence: initialPresence,
  crashGuard: initialCrashGuard,
  push: initialPush,
  espota: initialEspota,
  orders: initialOrders,
  status: Object.freeze({ name: "joining", percent: 0 }),
});
