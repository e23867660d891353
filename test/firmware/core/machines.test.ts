import { expect } from "chai";
import { step } from "../../../firmware/core/device.js";
import { type DeviceState, initialDevice } from "../../../firmware/core/device-state.js";
import type { TimerName } from "../../../firmware/core/effect.js";
import type { Event, PageRequest, Root } from "../../../firmware/core/event.js";
import { LISTENERS, MACHINES } from "../../../firmware/core/machines.js";
import { NO_TOKENS, OTHER_TOKEN_KEY } from "../../../firmware/core/server/server-token.js";
import type { InstallRecord } from "../../../firmware/core/update/record.js";
import type { UpdatePhase } from "../../../firmware/core/update/state.js";
import type { Report } from "../../../firmware/core/wire.js";
import { BOOTED, IMAGE, PEER, stamped } from "./events.js";
import { ROOT, rootText } from "./roots.js";
import { inPhase, jobOf, STAGED, withJob } from "./update-phases.js";

const TOKEN = "secret";
const NETWORK = { ssid: "home", rssi: -50, secured: true, channel: 6, bssid: "02:00:00:00:00:01" };
const REPORT: Report = { firmware_id: 7, status: "success", step: "validated" };
const RECORD: InstallRecord = {
  from: "server",
  firmwareId: 7,
  version: "1.0.0",
  build: 0,
  imageSha256: IMAGE.imageSha256,
  slot: "ota_0",
  powerLosses: 0,
};
const OFFER = { connection: 1, sizeBytes: 100_000 };
const FORM = { offer: OFFER, head: { boundary: "b", text: "" }, available: 0 };
const HELD: Root = { ...ROOT, fastForward: [] };
const PURPOSES = ["record", "rearm", "trial", "order", "crash-count", "staged", "root"] as const;
const SAVING = { change: {}, asked: [], by: { orderId: 9 } };
const NEW_TOKEN = { ...NO_TOKENS, other: { server: "http://a", token: "t" }, isOtherNew: true };
const BYTES = new Uint8Array(16);
const TIMERS = Object.keys({
  wifi: 0,
  portal: 0,
  check: 0,
  transfer: 0,
  retry: 0,
  report: 0,
  trial: 0,
  trialDeadline: 0,
  restart: 0,
  farewell: 0,
  healthy: 0,
  scan: 0,
  announce: 0,
} satisfies Record<TimerName, 0>) as TimerName[];
const PHASES = Object.keys({
  idle: 0,
  checking: 0,
  verifying: 0,
  resuming: 0,
  fetching: 0,
  requesting: 0,
  streaming: 0,
  waiting: 0,
  proving: 0,
  arming: 0,
  staging: 0,
  fetchingRoot: 0,
  verifyingRoot: 0,
  storingRoot: 0,
  fetchingStatement: 0,
  verifyingStatement: 0,
  restoring: 0,
  committing: 0,
  armingStaged: 0,
  rearming: 0,
  reverting: 0,
  restarting: 0,
} satisfies Record<UpdatePhase, 0>) as UpdatePhase[];

/** Each kind of event, as it could occur in this state. */
function eventsIn({ wifi, update, report, portal, espota }: DeviceState): Event[] {
  const request = { connection: 1, host: "base-0000a1", body: "" };
  const ofAttempt = (attempt: number): Omit<Events, Exclude<keyof Events, AttemptType>> => ({
    wifiJoined: { type: "wifiJoined", attempt, address: "192.168.1.2", rssi: -50 },
    wifiLost: { type: "wifiLost", attempt, reason: "lost" },
    scanCompleted: { type: "scanCompleted", attempt, networks: [NETWORK] },
    responseStarted: { type: "responseStarted", attempt, status: 200, headers: {} },
    responseReadable: { type: "responseReadable", attempt, count: 10 },
    responseData: { type: "responseData", attempt, bytes: BYTES },
    bytesCollected: { type: "bytesCollected", attempt, bytes: BYTES },
    textCollected: { type: "textCollected", attempt, text: "{}" },
    responseEnded: { type: "responseEnded", attempt },
    requestFailed: { type: "requestFailed", attempt, message: "no" },
    slotErased: { type: "slotErased", attempt, offset: 0, length: 4096 },
    slotWritten: { type: "slotWritten", attempt, offset: 0, length: 16 },
    slotHashed: { type: "slotHashed", attempt, offset: 0, digest: new Uint8Array(32) },
    bytesHashed: { type: "bytesHashed", attempt, bytes: BYTES, digest: new Uint8Array(32) },
    slotArmed: { type: "slotArmed", attempt },
    slotFailed: { type: "slotFailed", attempt, message: "no" },
    chunkProgress: { type: "chunkProgress", attempt },
    chunkStored: { type: "chunkStored", attempt },
    signatureVerified: { type: "signatureVerified", attempt, good: true },
  });
  const others: Omit<Events, AttemptType> = {
    booted: BOOTED,
    timerFired: { type: "timerFired", timer: "check" },
    nameClaimed: { type: "nameClaimed", hostName: "base-0000a1-2" },
    nameRefused: { type: "nameRefused", hostName: "base-0000a1" },
    peerHeard: { type: "peerHeard" },
    accessPointFailed: { type: "accessPointFailed" },
    clientAttached: { type: "clientAttached" },
    clientDetached: { type: "clientDetached" },
    requestReceived: { type: "requestReceived", method: "GET", path: "/", ...request },
    pushRequested: {
      type: "pushRequested",
      connection: 1,
      head: { method: "POST", path: "/update", headers: {} },
    },
    pushReadable: { type: "pushReadable", connection: 1, count: 10 },
    pushData: { type: "pushData", connection: 1, bytes: BYTES },
    pushClosed: { type: "pushClosed", connection: 1 },
    datagramReceived: {
      type: "datagramReceived",
      address: "192.168.1.9",
      port: 5000,
      text: `0 4000 1000 ${"a".repeat(32)}`,
    },
    textHashed: { type: "textHashed", digest: espota.invitation?.answer ?? "a".repeat(32) },
    keyDerived: { type: "keyDerived", key: "a".repeat(64) },
    macMade: { type: "macMade", connection: 1, mac: "a".repeat(64) },
    markedValid: { type: "markedValid" },
    markValidFailed: { type: "markValidFailed", message: "no" },
    rollBackChecked: { type: "rollBackChecked", connection: 1, possible: true },
    revertRequested: { type: "revertRequested", imageSha256: BOOTED.image.imageSha256 },
    installationsHeld: { type: "installationsHeld", reason: "no", images: [] },
    installationsFreed: { type: "installationsFreed" },
    saved: { type: "saved", purpose: "settings" },
    saveFailed: { type: "saveFailed", purpose: "settings", message: "no" },
    storeFailed: { type: "storeFailed", key: "server", message: "no" },
    partFailed: { type: "partFailed", part: "port", message: "no" },
    appFailed: { type: "appFailed", message: "no" },
    peerFacts: PEER,
    brokerStatus: { type: "brokerStatus", isConnected: true },
    readingsTaken: { type: "readingsTaken", readings: { temperature_c: 20 } },
    credentialsSubmitted: { type: "credentialsSubmitted", ssid: "home", password: "12345678" },
    online: { type: "online", address: "192.168.1.2", rssi: -50 },
    offline: { type: "offline" },
    portalOpened: { type: "portalOpened" },
    portalClosed: { type: "portalClosed" },
    joinFailed: { type: "joinFailed", ssid: "home", reason: "wrong-password" },
    serverReached: { type: "serverReached" },
    serverMissed: { type: "serverMissed" },
    installationFailed: { type: "installationFailed", version: "1.1.0", code: "ROLLED_BACK", reason: "no" },
    updateFailed: { type: "updateFailed", code: "FLASH_FAILED", message: "no" },
    stagedChanged: { type: "stagedChanged", staged: STAGED },
    commitRequested: { type: "commitRequested", imageSha256: STAGED.imageSha256 },
    commitEnded: { type: "commitEnded" },
    rootGiven: { type: "rootGiven", connection: 1, text: rootText({ ...ROOT, version: 2 }) },
    rootHeld: { type: "rootHeld", root: HELD },
    freshnessChanged: { type: "freshnessChanged", since: 0, isFrozen: true },
    abandonRequested: { type: "abandonRequested", reason: "no" },
    reportMade: { type: "reportMade", report: REPORT },
    abilitiesChanged: { type: "abilitiesChanged", digest: "0a1b2c3d" },
    abilitiesAsked: { type: "abilitiesAsked" },
    abilitiesTold: { type: "abilitiesTold", body: "{}" },
    reportTaken: { type: "reportTaken", report: REPORT },
    serverChosen: { type: "serverChosen", server: "http://other.test", checkSeconds: 60, hasOwnPace: false },
    serverTokensChanged: { type: "serverTokensChanged", serverTokens: { ...NO_TOKENS } },
    ordersReceived: { type: "ordersReceived", orders: [{ id: 9, kind: "restart" }] },
    settingsPushed: { type: "settingsPushed", id: 9, settings: new Map([["checkSeconds", 60]]) },
    orderFinished: { type: "orderFinished", result: { id: 9, result: "done" } },
    tokenChosen: { type: "tokenChosen", token: "another" },
    unsignedChosen: { type: "unsignedChosen", accept: false },
    bearerChosen: { type: "bearerChosen", accept: false },
    networkForgotten: { type: "networkForgotten", ssid: "home" },
    linkDoubted: { type: "linkDoubted", cure: "rejoin" },
    networksSaved: { type: "networksSaved", ssids: ["home"] },
    deviceNamed: { type: "deviceNamed", deviceName: "Lamp" },
    safeModeEntered: { type: "safeModeEntered", unhealthyCount: 5 },
    releaseGiven: { type: "releaseGiven", release: "a.b.c" },
    pushOffered: { type: "pushOffered", offer: OFFER },
    trialPassed: { type: "trialPassed" },
    trialFailed: { type: "trialFailed", reason: "no" },
  };
  const attempts = [wifi.attempt, -wifi.attempt, update.attempt, report.attempt, portal.scanAttempt];
  return [
    ...Object.values(others),
    ...attempts.flatMap((attempt) => Object.values(ofAttempt(attempt))),
    ...TIMERS.map((timer) => ({ type: "timerFired", timer }) as const),
    { type: "requestReceived", method: "GET", path: "/api/version", ...request },
    ...PURPOSES.map((purpose) => ({ type: "saveFailed", purpose, message: "no" }) as const),
    { type: "saved", purpose: "staged" },
    { type: "rollBackChecked", connection: 0, possible: true },
    { type: "storeFailed", key: OTHER_TOKEN_KEY, message: "no" },
  ];
}

type Events = { readonly [Type in Event["type"]]: Extract<Event, { readonly type: Type }> };
type AttemptType = Extract<Event, { readonly attempt: number }>["type"];

const after = (state: DeviceState, ...events: Event[]): DeviceState =>
  events.reduce((now, event) => step(now, stamped(event))[0], state);

/** Devices in every phase of each of their machines. */
function states(): DeviceState[] {
  const stored = { layout: "1", "push.token": TOKEN, "push.unsigned": "1" };
  const box = after(initialDevice, { ...BOOTED, stored, statusPage: "<!doctype html>" });
  const joining = after(box, { type: "credentialsSubmitted", ssid: "home", password: "12345678" });
  const joined = after(joining, {
    type: "wifiJoined",
    attempt: joining.wifi.attempt,
    address: "192.168.1.2",
    rssi: -50,
  });
  const closed = after(joined, { type: "portalClosed" });
  const lost = after(joined, { type: "wifiLost", attempt: joined.wifi.attempt, reason: "lost" });
  const again = after(lost, { type: "timerFired", timer: "wifi" });
  const failed = after(again, { type: "wifiLost", attempt: again.wifi.attempt, reason: "not-found" });
  const looking = after(failed, { type: "timerFired", timer: "wifi" });
  const reporting = after(joined, { type: "reportMade", report: REPORT });
  const streaming = after(joined, { type: "pushOffered", offer: OFFER });
  const invited = after(joined, {
    type: "datagramReceived",
    address: "192.168.1.9",
    port: 5000,
    text: `0 4000 1000 ${"a".repeat(32)}`,
  });
  const { update, trial, espota, localApi } = streaming;
  const recorded = { ...update, record: { ...RECORD, passed: true } as const };
  return [
    initialDevice,
    box,
    joining,
    joined,
    closed,
    looking,
    reporting,
    streaming,
    invited,
    ...PHASES.map((phase): DeviceState => ({ ...streaming, update: inPhase(phase, recorded) })),
    ...PHASES.map(
      (phase): DeviceState => ({ ...streaming, update: inPhase(phase, recorded, jobOf(update)) }),
    ),
    { ...streaming, update: withJob(update, { pending: BYTES }) },
    // an answer to a challenge is being computed, at either port
    {
      ...joined,
      push: { ...joined.push, proof: { ...joined.push.proof, waiting: [{ asker: PUSHER, answer: ANSWER }] } },
      localApi: { ...localApi, proof: { ...localApi.proof, waiting: [{ asker: VISITOR, answer: ANSWER }] } },
    },
    { ...joined, push: { ...joined.push, form: FORM }, localApi: { ...localApi, installing: 3 } },
    { ...joined, localApi: { ...localApi, saving: SAVING }, update: { ...update, serverTokens: NEW_TOKEN } },
    ...(["trial", "validating"] as const).map((phase) => ({ ...joined, trial: { ...trial, phase } })),
    ...(["hashingToken", "hashingAnswer"] as const).map((at) => {
      const { invitation } = invited.espota;
      const hashing = invitation && { ...invitation, answer: "a".repeat(32), step: at };
      return { ...joined, espota: { ...espota, invitation: hashing } };
    }),
    ...(["restart", "reset", "rollBack"] as const).map((leaving) => ({
      ...joined,
      localApi: { ...localApi, leaving },
    })),
  ];
}

const ANSWER = Object.freeze({ nonce: "1-0", sha256: "a".repeat(64), mac: "b".repeat(64) });
const PUSHER = Object.freeze({
  connection: 1,
  method: "POST",
  path: "/update",
  head: { method: "POST", path: "/update", headers: {} },
});
const VISITOR = stamped({
  type: "requestReceived",
  connection: 1,
  method: "POST",
  path: "/api/restart",
  host: "",
  body: "",
}) as PageRequest;

describe("the table of which machine handles an event", () => {
  const reacted = new Set<string>();
  const missed = new Set<string>();
  for (const state of states()) {
    for (const event of eventsIn(state)) {
      for (const machine of MACHINES) {
        const [next, asked] = machine.step(state, stamped(event));
        if (next === state[machine.name] && asked.length === 0) continue;
        const isListed = LISTENERS[event.type].includes(machine);
        (isListed ? reacted : missed).add(`${event.type} ${machine.name}`);
      }
    }
  }

  it("omits no machine that would do something", () => {
    expect([...missed]).deep.equal([]);
  });

  it("lists no machine without need", () => {
    const listed = Object.entries(LISTENERS).flatMap(([type, machines]) =>
      machines.map(({ name }) => `${type} ${name}`),
    );
    expect(listed.filter((name) => !reacted.has(name))).deep.equal([]);
  });
});
