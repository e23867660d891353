// When a battery device sleeps, with a device in given states.

import { expect } from "chai";
import { type ContentState, initialContent } from "../../../../firmware/apps/cms/core/content.js";
import {
  initialSleep,
  type SleepSettings,
  type SleepState,
  sleepStep,
} from "../../../../firmware/apps/cms/core/sleep.js";
import type { CmsEvent } from "../../../../firmware/apps/cms/core/vocabulary.js";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import type { Stamped } from "../../../../firmware/core/event.js";
import { BOOTED } from "../../core/events.js";
import { inPhase } from "../../core/update-phases.js";

const SETTINGS: SleepSettings = Object.freeze({
  seconds: 900,
  awakeSeconds: 10,
  firstAwakeSeconds: 300,
  longestSeconds: 120,
});
/** Nothing left to do. */
const DONE: DeviceState = Object.freeze({
  ...initialDevice,
  wifi: { ...initialDevice.wifi, phase: "joined" as const },
  update: { ...initialDevice.update, online: true, isAnswered: true },
});
const SETTLED: ContentState = Object.freeze({ ...initialContent, phase: "idle", settled: true });
const LOOK: CmsEvent = Object.freeze({ type: "timerFired", timer: "sleep" });

function boot(resetReason: string, settings = SETTINGS, device = DONE): SleepState {
  const event = { ...BOOTED, resetReason };
  return sleepStep(initialSleep, at(0, event), device, initialContent, settings)[0];
}

const at = (ms: number, event: CmsEvent): Stamped<CmsEvent> => ({
  ...event,
  at: ms,
  random: 0.5,
  freeHeapBytes: 0,
});

function sleepsAt(ms: number, state: SleepState, device: DeviceState = DONE, content = SETTLED): boolean {
  const [, effects] = sleepStep(state, at(ms, LOOK), device, content, SETTINGS);
  const types = effects.map(({ type }) => type);
  expect(types).deep.equal(
    types.includes("deepSleep") ? ["log", "withdraw", "leaveWifi", "deepSleep"] : ["setTimer"],
  );
  return types.includes("deepSleep");
}

describe("a device on a battery", () => {
  it("sleeps when everything is done, ten seconds after it woke, five minutes after any other start", () => {
    expect(sleepsAt(9_000, boot("deep-sleep"))).equal(false);
    expect(sleepsAt(10_000, boot("deep-sleep"))).equal(true);
    for (const reason of ["power-on", "software", "panic"]) {
      expect(sleepsAt(299_000, boot(reason)), reason).equal(false);
      expect(sleepsAt(300_000, boot(reason)), reason).equal(true);
    }
  });

  it("sleeps for a quarter of an hour, more or less", () => {
    const [, effects] = sleepStep(boot("deep-sleep"), at(10_000, LOOK), DONE, SETTLED, SETTINGS);
    const [effect] = effects.filter((one) => one.type === "deepSleep");
    expect(effect!.durationMs).within(810_000, 990_000);
  });

  it("waits for the answer to its check and for its picture, but not forever", () => {
    const unanswered = { ...DONE, update: { ...DONE.update, isAnswered: false } };
    for (const [device, content] of [
      [unanswered, SETTLED],
      [DONE, { ...SETTLED, settled: false }],
      // the result of an order is reported first, if the server can be reached
      [{ ...DONE, update: { ...DONE.update, orderResults: [{ id: 3, result: "done" }] } }, SETTLED],
    ] as const) {
      expect(sleepsAt(119_000, boot("deep-sleep"), device, content)).equal(false);
      expect(sleepsAt(120_000, boot("deep-sleep"), device, content)).equal(true);
    }
  });

  it("never sleeps during something that must not be interrupted", () => {
    const busy: readonly (readonly [string, DeviceState])[] = [
      ["on trial", { ...DONE, trial: { ...DONE.trial, phase: "trial" } }],
      ["validating", { ...DONE, trial: { ...DONE.trial, phase: "validating" } }],
      ["rolling back", { ...DONE, trial: { ...DONE.trial, phase: "rolledBack" } }],
      ...(["checking", "verifying", "streaming", "waiting", "arming", "restarting"] as const).map(
        (phase) => [phase, { ...DONE, update: inPhase(phase, DONE.update) }] as const,
      ),
      [
        "a result untold",
        {
          ...DONE,
          report: { ...DONE.report, online: true, queue: [{ firmware_id: 1, status: "success" }] },
        },
      ],
      ["not set up", { ...DONE, wifi: { ...DONE.wifi, phase: "unset" } }],
      ["a phone", { ...DONE, wifi: { ...DONE.wifi, clientCount: 1 } }],
    ];
    for (const [name, device] of busy)
      expect(sleepsAt(3_600_000, boot("deep-sleep"), device), name).equal(false);
    const passed = { ...DONE, trial: { ...DONE.trial, phase: "passed" as const } };
    expect(sleepsAt(3_600_000, boot("software"), passed)).equal(true);
  });

  it("waits two minutes for the network during an update, counted from when it was lost", () => {
    const waiting = { ...DONE, update: inPhase("waiting", { ...DONE.update, online: false }) };
    const [online] = sleepStep(
      boot("deep-sleep"),
      at(50_000, LOOK),
      { ...waiting, update: { ...waiting.update, online: true } },
      SETTLED,
      SETTINGS,
    );
    expect(sleepsAt(169_000, online, waiting)).equal(false);
    expect(sleepsAt(170_000, online, waiting)).equal(true);
  });

  it("stays awake for two minutes after its pages were used", () => {
    const used: CmsEvent = {
      type: "requestReceived",
      connection: 1,
      method: "GET",
      path: "/",
      host: "device",
      body: "",
    };
    const [state] = sleepStep(boot("deep-sleep"), at(8_000, used), DONE, SETTLED, SETTINGS);
    expect(sleepsAt(127_000, state)).equal(false);
    expect(sleepsAt(128_000, state)).equal(true);
  });

  it("never sleeps on a cable or in safe mode", () => {
    const safe = { ...DONE, crashGuard: { ...DONE.crashGuard, safeMode: true } };
    for (const state of [boot("power-on", { ...SETTINGS, seconds: 0 }), boot("power-on", SETTINGS, safe)]) {
      expect(sleepStep(state, at(3_600_000, LOOK), DONE, SETTLED, SETTINGS)[1]).deep.equal([]);
    }
  });
});
