// The device's machines, and which of them each event is delivered to, in the order in which their effects are carried out. The others are
// not called: on XS each call costs some hundred bytecodes, and an image is thousands of events. This file only routes.

import type { DeviceState } from "./device-state.js";
import type { Effect } from "./effect.js";
import type { Booted, Event, Raise, Stamped } from "./event.js";
import { localApiStep, takesRequest } from "./local/api.js";
import { espotaStep } from "./local/espota.js";
import { presenceStep } from "./local/presence.js";
import { pushStep } from "./local/push.js";
import { ordersStep } from "./server/orders.js";
import { reportStep } from "./server/report.js";
import { trialStep } from "./trial/boot-validation.js";
import { crashGuardStep } from "./trial/crash-guard.js";
import { updateStep } from "./update/update.js";
import { isCaptured } from "./wifi/captive-probes.js";
import { linkWatchStep, type Occupation } from "./wifi/link-watch.js";
import { initialPortal, portalStep } from "./wifi/portal.js";
import type { PortalState } from "./wifi/portal-state.js";
import { wifiStep } from "./wifi/wifi.js";

type Asked = readonly (Effect | Raise)[];

/** The parts of the device that have a machine. */
export type MachineName = Exclude<keyof DeviceState, "status">;

export interface Machine<Name extends MachineName = MachineName> {
  readonly name: Name;
  /** Its next state, and its effects. It sees the states of the machines before it as they left them. */
  step(device: DeviceState, event: Stamped): readonly [DeviceState[Name], Asked];
}

const machine = <Name extends MachineName>(name: Name, step: Machine<Name>["step"]): Machine<Name> =>
  Object.freeze({ name, step });

const linkWatch = machine("linkWatch", (device, event) =>
  linkWatchStep(device.linkWatch, event, occupationOf(device)),
);
const update = machine("update", (device, event) => updateStep(device.update, event));
const trial = machine("trial", (device, event) => trialStep(device.trial, event));
const report = machine("report", (device, event) => reportStep(device.report, event));
const wifi = machine("wifi", (device, event) =>
  isProbe(device, event) ? [device.wifi, []] : wifiStep(device.wifi, event),
);
const portal = machine("portal", portalOrOwnPages);
const push = machine("push", (device, event) => pushStep(device.push, event));
const espota = machine("espota", (device, event) => espotaStep(device.espota, device.push, event));
const localApi = machine("localApi", (device, event) => localApiStep(device.localApi, event));
const presence = machine("presence", (device, event) => presenceStep(device.presence, event));
const orders = machine("orders", ({ orders, update }, event) => ordersStep(orders, event, update));
const crashGuard = machine("crashGuard", (device, event) => crashGuardStep(device.crashGuard, event));

/** Every machine; the watch first, because it looks at what the others do; the guard last, since its effects start the app's own part. */
export const MACHINES: readonly Machine[] = Object.freeze([
  linkWatch,
  update,
  trial,
  report,
  wifi,
  portal,
  push,
  espota,
  localApi,
  presence,
  orders,
  crashGuard,
]);

const to = (...machines: readonly Machine[]): readonly Machine[] => Object.freeze(machines);
const UPDATE = to(update);

/** The machines that an event is delivered to. */
export const LISTENERS: Readonly<Record<Event["type"], readonly Machine[]>> = Object.freeze({
  booted: MACHINES,
  timerFired: to(linkWatch, update, trial, report, wifi, portal, espota, localApi, presence, crashGuard),
  wifiJoined: to(wifi, espota),
  wifiLost: to(wifi),
  accessPointFailed: to(wifi),
  clientAttached: to(wifi),
  clientDetached: to(wifi),
  nameClaimed: to(portal, localApi),
  nameRefused: to(presence),
  scanCompleted: to(wifi, portal),
  peerHeard: to(linkWatch),
  responseStarted: to(linkWatch, update, report),
  responseReadable: UPDATE,
  responseData: UPDATE,
  bytesCollected: UPDATE,
  textCollected: UPDATE,
  responseEnded: UPDATE,
  requestFailed: to(linkWatch, update, report),
  requestReceived: to(linkWatch, wifi, portal, localApi),
  pushRequested: to(linkWatch, push),
  pushReadable: to(update, push),
  pushData: to(update, push),
  pushClosed: to(update, push),
  datagramReceived: to(linkWatch, espota),
  textHashed: to(espota),
  keyDerived: to(push, localApi),
  macMade: to(push, localApi),
  slotErased: UPDATE,
  slotWritten: UPDATE,
  slotHashed: UPDATE,
  bytesHashed: UPDATE,
  slotArmed: UPDATE,
  chunkProgress: UPDATE,
  chunkStored: UPDATE,
  slotFailed: UPDATE,
  signatureVerified: UPDATE,
  markedValid: to(trial),
  markValidFailed: to(trial),
  rollBackChecked: to(update, localApi),
  saved: to(update, localApi),
  saveFailed: to(update, trial, localApi, orders, crashGuard),
  storeFailed: to(update, localApi),
  partFailed: to(localApi),
  appFailed: to(trial, localApi),
  peerFacts: to(localApi),
  brokerStatus: to(localApi),
  readingsTaken: UPDATE,
  credentialsSubmitted: to(wifi),
  online: to(linkWatch, update, trial, report, portal, push, localApi, presence),
  offline: to(linkWatch, update, trial, report, portal, localApi, presence),
  portalOpened: to(portal, localApi, presence),
  portalClosed: to(portal, localApi, presence),
  joinFailed: to(portal, localApi),
  serverReached: to(trial, localApi, crashGuard),
  serverMissed: to(localApi),
  updateFailed: to(localApi),
  installationFailed: to(localApi),
  stagedChanged: to(localApi),
  commitRequested: UPDATE,
  commitEnded: to(localApi),
  abandonRequested: UPDATE,
  rootHeld: to(localApi),
  freshnessChanged: to(localApi),
  rootGiven: UPDATE,
  revertRequested: UPDATE,
  installationsHeld: UPDATE,
  installationsFreed: UPDATE,
  reportMade: to(report),
  reportTaken: UPDATE,
  abilitiesChanged: UPDATE,
  abilitiesAsked: to(localApi),
  abilitiesTold: to(report),
  serverChosen: to(update, report),
  serverTokensChanged: to(report),
  ordersReceived: to(orders),
  settingsPushed: to(localApi),
  orderFinished: UPDATE,
  tokenChosen: to(push, localApi),
  unsignedChosen: to(push),
  bearerChosen: to(push),
  networkForgotten: to(wifi),
  linkDoubted: to(wifi, localApi),
  networksSaved: to(localApi),
  deviceNamed: to(portal),
  safeModeEntered: to(localApi),
  releaseGiven: to(push),
  pushOffered: UPDATE,
  trialPassed: to(update, localApi),
  trialFailed: to(update, localApi),
});

const occupationOf = ({ update, trial }: DeviceState): Occupation => ({
  isAsking:
    update.phase === "checking" ||
    update.phase === "fetchingRoot" ||
    update.phase === "fetchingStatement" ||
    ((update.phase === "fetching" || update.phase === "requesting" || update.phase === "streaming") &&
      update.job.source.kind !== "push"),
  isBusy: trial.phase === "trial" || trial.phase === "validating",
  isUpdating: update.phase !== "checking",
});

/** A phone asks by itself, as long as it is in the setup network: that is nobody who uses it. */
const isProbe = ({ portal }: DeviceState, event: Stamped): boolean =>
  event.type === "requestReceived" && isCaptured(portal, event.host, event.path.split("?")[0] ?? "");

/** Each request is answered by one machine only. */
function portalOrOwnPages(device: DeviceState, event: Stamped): ReturnType<typeof portalStep> {
  if (event.type === "requestReceived" && takesRequest(device.localApi, event)) return [device.portal, []];
  return portalStep(event.type === "booted" ? portalAtBoot(event) : device.portal, event);
}

function portalAtBoot({ identity, image: { version }, setupPage, isAnnounced = true }: Booted): PortalState {
  const { type, deviceId } = identity;
  return initialPortal({
    deviceName: `Skyslot ${deviceId}`,
    type,
    deviceId,
    isAnnounced,
    version,
    page: setupPage,
  });
}
