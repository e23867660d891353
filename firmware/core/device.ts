// The whole device: its machines side by side. Each sees every event; what one raises goes round to all before the next event from
// outside, so data flows one way and the order is the same everywhere. This file only composes, the machines decide.

import { bootNotice } from "./boot-notice.js";
import { initialTrial, type TrialState, trialStep } from "./boot-validation.js";
import { type CrashGuardState, crashGuardStep, initialCrashGuard } from "./crash-guard.js";
import type { Effect } from "./effect.js";
import type { Event, Raise, Stamped } from "./event.js";
import { initialLocalApi, type LocalApiState, localApiStep, takesRequest } from "./local-api.js";
import { initialPortal, type PortalState, portalStep } from "./portal.js";
import { initialPresence, type PresenceState, presenceStep } from "./presence.js";
import { initialReport, type ReportState, reportStep } from "./report.js";
import { isSameStatus, type Status, statusOf } from "./status.js";
import { initialUpdate, type UpdateState, updateStep } from "./update.js";
import { initialWifi, type WifiState, wifiStep } from "./wifi.js";

export interface DeviceState {
  readonly wifi: WifiState;
  readonly portal: PortalState;
  readonly update: UpdateState;
  readonly trial: TrialState;
  readonly report: ReportState;
  readonly localApi: LocalApiState;
  readonly presence: PresenceState;
  readonly crashGuard: CrashGuardState;
}

const NOBODY = Object.freeze({ deviceName: "", type: "", version: "", deviceId: "", page: "" });

export const initialDevice: DeviceState = Object.freeze({
  wifi: initialWifi,
  portal: Object.freeze(initialPortal(NOBODY)),
  update: initialUpdate,
  trial: initialTrial,
  report: initialReport,
  localApi: initialLocalApi,
  presence: initialPresence,
  crashGuard: initialCrashGuard,
});

/** More raised events than this for one event from outside is a loop between machines: a bug, so it throws. */
const MAX_RAISED = 64;

/** What the device becomes, and what it does, in order. */
export function step(state: DeviceState, event: Stamped): readonly [DeviceState, readonly Effect[]] {
  const effects: Effect[] = [];
  const queue: Event[] = [event];
  let next = state;
  for (let i = 0; i < queue.length; i++) {
    if (i > MAX_RAISED) throw new Error(`more than ${MAX_RAISED} events raised by one ${event.type}`);
    const { at, random, freeHeapBytes } = event;
    const stamped = { ...(queue[i] as Event), at, random, freeHeapBytes } as Stamped;
    const [after, asked] = stepAll(next, stamped);
    next = after;
    for (const effect of asked) {
      if (effect.type === "raise") queue.push(effect.event);
      else effects.push(effect);
    }
  }
  return [next, [...effects, ...shown(state, next, queue)]];
}

/** What a person can see of it: errors when they happen, the status when it is another one. */
function shown(before: DeviceState, after: DeviceState, events: readonly Event[]): readonly Effect[] {
  const effects: Effect[] = [];
  if (events.some(({ type }) => type === "updateFailed" || type === "trialFailed")) {
    effects.push({ type: "showStatus", status: ERROR });
  }
  const status = statusOf(after);
  if (events[0]?.type === "booted" || !isSameStatus(statusOf(before), status)) {
    effects.push({ type: "showStatus", status });
  }
  return effects;
}

const ERROR: Status = Object.freeze({ name: "error", percent: 0 });

/** One event through every machine. */
function stepAll(state: DeviceState, event: Stamped): readonly [DeviceState, readonly (Effect | Raise)[]] {
  const [wifi, wifiEffects] = wifiStep(state.wifi, event);
  // a request is answered by one machine only
  const isLocal = event.type === "requestReceived" && takesRequest(state.localApi, event);
  const [portal, portalEffects] = isLocal
    ? [state.portal, []]
    : portalStep(portalAtBoot(state.portal, event), event);
  const [localApi, localApiEffects] = localApiStep(state.localApi, event);
  const [presence, presenceEffects] = presenceStep(state.presence, event);
  const [crashGuard, crashGuardEffects] = crashGuardStep(state.crashGuard, event);
  const [report, reportEffects] = reportStep(state.report, event);
  const [trial, trialEffects] = trialStep(state.trial, event);
  const [update, updateEffects] = updateStep(state.update, event);
  return [
    { wifi, portal, report, trial, update, localApi, presence, crashGuard },
    [
      ...(event.type === "booted" ? bootNotice(event) : []),
      ...updateEffects,
      ...trialEffects,
      ...reportEffects,
      ...wifiEffects,
      ...portalEffects,
      ...localApiEffects,
      ...presenceEffects,
      // last: with it the app's own part starts
      ...crashGuardEffects,
    ],
  ];
}

function portalAtBoot(portal: PortalState, event: Stamped): PortalState {
  if (event.type !== "booted") return portal;
  const { type, deviceId } = event.identity;
  const { version } = event.image;
  return initialPortal({ deviceName: `Skyslot ${deviceId}`, type, deviceId, version, page: event.setupPage });
}
