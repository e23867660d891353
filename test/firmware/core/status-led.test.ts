// The status LED, and the statuses that the device raises.

import { expect } from "chai";
import { step } from "../../../firmware/core/device.js";
import { initialDevice } from "../../../firmware/core/device-state.js";
import { statusOf } from "../../../firmware/core/device-status.js";
import type { Effect } from "../../../firmware/core/effect.js";
import type { Event } from "../../../firmware/core/event.js";
import type { Status, StatusName } from "../../../firmware/core/status.js";
import { initialLed, type LedState, lightAt, showStatus } from "../../../firmware/core/status-led.js";
import { BOOTED, PEER, stamped } from "./events.js";
import { inPhase, JOB } from "./update-phases.js";

const status = (name: StatusName, percent = 0): Status => ({ name, percent });
const shown = (name: StatusName, percent = 0, atMs = 0) =>
  showStatus(initialLed, status(name, percent), atMs);

/** The LED's light in tenths of a second, as `#` and `-`. */
const light = (led: LedState, untilMs: number) =>
  Array.from({ length: untilMs / 100 }, (_, i) => (lightAt(led, i * 100).on ? "#" : "-")).join("");

/** How often it comes on. */
const blinks = (text: string) => text.split("#-").length - 1;

describe("the status LED", () => {
  it("has a rhythm for each status", () => {
    expect(light(shown("setup"), 2000)).equal("##########----------");
    expect(light(shown("online"), 1000)).equal("##########");
    expect(light(shown("trial"), 2000)).equal("#-#-------#-#-------");
    expect(light(shown("warning"), 2000)).equal("#########-#########-");
    expect(light(shown("safeMode"), 1500)).equal("#-#-#----------");
    expect(lightAt(shown("joining"), 249)).deep.equal({ on: true, lastsMs: 1 });
    expect(lightAt(shown("joining"), 250)).deep.equal({ on: false, lastsMs: 250 });
  });

  it("blinks at 500 ms during an update and turns over at every 5 %", () => {
    expect(light(shown("updating", 0), 2000)).equal("#####-----#####-----");
    expect(light(shown("updating", 5), 2000)).equal("-----#####-----#####");
    expect(light(shown("updating", 10), 2000)).equal("#####-----#####-----");
    const turned = showStatus(shown("updating", 5), status("updating", 10), 700);
    expect(lightAt(turned, 700), "the rhythm continues").deep.equal({ on: false, lastsMs: 300 });
  });

  it("signals an error by ten rapid blinks, then shows the earlier status, or a newer one", () => {
    const failed = showStatus(shown("updating", 50), status("error"), 0);
    expect(blinks(light(failed, 2000))).equal(10);
    expect(light(failed, 3000).slice(20)).equal("#####-----");
    const online = showStatus(failed, status("online"), 100);
    expect(light(online, 3000)).equal(`${"#-".repeat(10)}${"#".repeat(10)}`);
  });

  it("flickers for half a minute to identify the device, then shows the earlier status, or a newer one", () => {
    const asked = showStatus(shown("setup"), status("identify"), 0);
    const later = showStatus(asked, status("online"), 100);
    const halves = Array.from({ length: 600 }, (_, i) => (lightAt(later, i * 50).on ? "#" : "-")).join("");
    expect(halves).equal("#-".repeat(300));
    expect(lightAt(later, 30_000)).deep.equal({ on: true, lastsMs: undefined });
  });

  it("predicts correctly when it will change by itself", () => {
    for (const name of [
      "setup",
      "joining",
      "warning",
      "updating",
      "trial",
      "safeMode",
      "error",
      "identify",
    ] as const) {
      const led = shown(name);
      for (let atMs = 0, changes = 0; changes < 20; changes++) {
        const { on, lastsMs } = lightAt(led, atMs);
        if (lastsMs === undefined) break;
        expect(lastsMs).greaterThan(0);
        expect(lightAt(led, atMs + lastsMs - 1).on, `${name} before ${atMs + lastsMs}`).equal(on);
        atMs += lastsMs;
      }
    }
    expect(lightAt(shown("online"), 5).lastsMs).equal(undefined);
  });
});

describe("the LED status of a device", () => {
  const statuses = (effects: readonly Effect[]) =>
    effects.flatMap((effect) => (effect.type === "showStatus" ? [effect.status] : []));

  function run(...events: Event[]): { shown: Status[]; state: typeof initialDevice } {
    let state = initialDevice;
    const all: Status[] = [];
    for (const event of events) {
      const [next, effects] = step(state, stamped(event));
      state = next;
      all.push(...statuses(effects));
    }
    return { shown: all, state };
  }

  const saved = { ...BOOTED, stored: { layout: "1", networks: '[["Home","password"]]' } };

  it("is set up first, then joining, then online, each reported once", () => {
    expect(run(BOOTED).shown).deep.equal([status("setup")]);
    const { shown: reported } = run(
      BOOTED,
      { type: "clientAttached" },
      { type: "credentialsSubmitted", ssid: "Home", password: "password" },
      { type: "wifiJoined", attempt: 1, address: "10.0.0.2", rssi: -50 },
      { type: "clientDetached" },
    );
    expect(reported).deep.equal([status("setup"), status("joining"), status("online")]);
  });

  it("is a trial until the image is validated", () => {
    const trial = { ...saved, image: { ...BOOTED.image, slotState: "pending_verify" as const } };
    const joined: Event = { type: "wifiJoined", attempt: 1, address: "10.0.0.2", rssi: -50 };
    const events: Event[] = [
      trial,
      joined,
      { type: "serverReached" },
      { type: "timerFired", timer: "trial" },
    ];
    expect(run(...events).shown).deep.equal([status("trial")]);
    expect(run(...events, { type: "markedValid" }).shown).deep.equal([status("trial"), status("online")]);
  });

  it("is an error whenever an update fails, and only then", () => {
    const failed: Event = { type: "updateFailed", code: "CHUNK_MISMATCH", message: "chunk 3 is wrong" };
    expect(run(saved, failed).shown).deep.equal([status("joining"), status("error")]);
  });

  it("is safe mode instead of online when the app was not started", () => {
    const { state } = run(saved, { type: "wifiJoined", attempt: 1, address: "10.0.0.2", rssi: -50 });
    expect(statusOf(state)).deep.equal(status("online"));
    const crashGuard = { ...state.crashGuard, safeMode: true };
    expect(statusOf({ ...state, crashGuard })).deep.equal(status("safeMode"));
  });

  it("is a warning instead of online while the other device of the pair has one, and nothing more important is shown", () => {
    const { warning: _, ...well } = PEER;
    const joined: Event = { type: "wifiJoined", attempt: 1, address: "10.0.0.2", rssi: -50 };
    const reported = run(saved, PEER, joined, well, PEER, { type: "wifiLost", attempt: 1, reason: "lost" });
    expect(reported.shown.map(({ name }) => name)).deep.equal([
      "joining",
      "warning",
      "online",
      "warning",
      "joining",
    ]);
    const { state } = run(saved, PEER, joined);
    const crashGuard = { ...state.crashGuard, safeMode: true };
    expect(statusOf({ ...state, crashGuard })).deep.equal(status("safeMode"));
  });

  it("counts an update's progress in steps of 5 %", () => {
    const { state } = run(saved);
    const at = (phase: typeof state.update.phase, offset: number) =>
      statusOf({
        ...state,
        update: inPhase(phase, state.update, { offset, release: { ...JOB.release, size: 1000 } }),
      });
    expect(at("streaming", 0)).deep.equal(status("updating", 0));
    expect(at("streaming", 549)).deep.equal(status("updating", 50));
    expect(at("proving", 1000)).deep.equal(status("updating", 100));
    expect(at("waiting", 500), "without a network").deep.equal(status("joining"));
    expect(at("verifying", 0)).deep.equal(status("joining"));
  });
});
