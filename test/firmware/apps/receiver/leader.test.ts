// The leader of a pair, event by event: when an update begins by itself, what the transmitter is answered, what is noted of both.

import { expect } from "chai";
import {
  type Around,
  initialLeader,
  isLeaders,
  type LeaderEffect,
  type LeaderSettings,
  type LeaderState,
  LeaderTurn,
} from "../../../../firmware/apps/receiver/core/leader.js";
import { UPLOAD_FIRMWARE_ID } from "../../../../firmware/apps/receiver/core/uploaded-job.js";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import type { Event } from "../../../../firmware/core/event.js";
import { type CachedImage, uploadedImage } from "../../../../firmware/core/gateway/cached-image.js";
import type { MemberOffer } from "../../../../firmware/core/system/offers.js";
import type { SystemFound } from "../../../../firmware/core/system/poll.js";
import { AT_ONCE, type Schedule } from "../../../../firmware/core/system/schedule.js";
import type { SystemJob } from "../../../../firmware/core/system/vocabulary.js";
import { BOOTED, IMAGE, KEY, PEER } from "../../core/events.js";
import { jws, PAGED } from "../../core/releases.js";

const RECEIVER = "e".repeat(64);
const TRANSMITTER = "f".repeat(64);
const OLD = "0".repeat(64);
/** A day's beginning in UTC, seconds since 1970. */
const MIDNIGHT = 1_796_083_200 - (1_796_083_200 % 86_400);
const HOUR_MS = 3_600_000;

const OFFERS: readonly MemberOffer[] = (["receiver", "transmitter"] as const).map((id, at) => ({
  id,
  image: id === "receiver" ? RECEIVER : TRANSMITTER,
  sizeBytes: 1_000,
  answer: { firmware_id: 7 + at, version: "2.0.0", build_number: 0, download_url: `/d/${at}`, release: "r" },
}));
const JOB: SystemJob = {
  version: "2.0.0",
  rule: "all",
  components: [
    { id: "receiver", image: RECEIVER, step: 0 },
    { id: "transmitter", image: TRANSMITTER, step: 1 },
  ],
  rebootDelaySeconds: 2,
  healthTimeoutSeconds: 30,
  stageTimeoutSeconds: 3_600,
};
const FOUND = {
  type: "systemFound",
  system: { version: "2.0.0", components: [{ name: "receiver" }, { name: "transmitter" }] },
  links: [{ name: "receiver", releaseUrl: "/r/7", downloadUrl: "/d/7", digestsUrl: "" }],
} as unknown as SystemFound;
const UPLOADED = uploadedImage(jws({ ...PAGED, type: "transmitter" }))!;

/** A leader in a receiver that is online, whose stores succeed. */
class Leader {
  state: LeaderState = initialLeader;
  settings: LeaderSettings = { system: "pair", installs: true, schedule: AT_ONCE, pollSeconds: 3_600 };
  uploaded: CachedImage | undefined;
  update: Partial<DeviceState["update"]> = { online: true, server: "http://updates.test" };
  /** Server's time; undefined: not known. */
  time: number | undefined = MIDNIGHT;
  effects: LeaderEffect[] = [];
  stored: Record<string, string> = {};
  reported: LeaderTurn["reported"];

  get device(): DeviceState {
    const { update } = initialDevice;
    const clock = { ...update.clock, told: this.time === undefined ? undefined : { time: this.time, at: 0 } };
    const boot = { ...BOOTED, image: { ...IMAGE, imageSha256: OLD } };
    return { ...initialDevice, update: { ...update, boot, clock, ...this.update } } as DeviceState;
  }

  turn<Result>(act: (turn: LeaderTurn) => Result): Result {
    const around: Around = {
      at: 0,
      random: 0.5,
      freeHeapBytes: 100_000,
      device: this.device,
      settings: this.settings,
      uploaded: this.uploaded,
    };
    const turn = new LeaderTurn(this.state, around);
    const result = act(turn);
    this.state = turn.state;
    this.effects = turn.effects;
    this.reported = turn.reported;
    for (const effect of turn.effects) {
      if (effect.type === "store") this.stored[effect.key] = effect.value;
      if (effect.type === "save") this.hear({ type: "saved", purpose: "system" });
    }
    return result;
  }

  hear = (event: object): void => this.turn((turn) => turn.hear(event as Event));
  check = (image: string, more: object = {}) =>
    this.turn((turn) =>
      turn.answerOther(
        "/api/ota/check",
        JSON.stringify({ device_type: "transmitter", image_sha256: image, ...more }),
      ),
    );
  report = (body: object) =>
    this.turn((turn) => turn.answerOther("/api/ota/status", JSON.stringify({ device_id: "t-1", ...body })));

  /** The update server has a newer system, signed. */
  find(): this {
    const phase = "verifying" as const;
    const signed = { keyId: "key-1", signedLength: 9, signature: new Uint8Array(64) };
    const verification = { left: [{ signed, key: KEY }], needed: 1, manifest: "" };
    this.state = {
      ...this.state,
      poll: { ...this.state.poll, phase, attempt: -1_000_000_005, found: FOUND, verification },
    };
    this.hear({ type: "signatureVerified", attempt: -1_000_000_005, good: true });
    return this;
  }

  /** It leads both to 2.0.0. */
  lead(): this {
    this.state = { ...this.state, offers: OFFERS, led: [7, 8] };
    this.turn((turn) => turn.beginUploaded(JOB));
    return this;
  }

  get timer() {
    const found = this.effects.find((one) => one.type === "setTimer" && one.timer === "system.begin");
    return found?.type === "setTimer" ? found.delayMs : undefined;
  }
  get asksForReleases(): boolean {
    return this.effects.some((one) => one.type === "startRequest" && one.request.url.includes("/r/7"));
  }
  get entry() {
    return this.state.system.history[0];
  }
}

describe("an update of both that the receiver has found", () => {
  const schedule = (from: number, to: number): Schedule => ({
    startMinute: from * 60,
    endMinute: to * 60,
    notBefore: 0,
  });

  it("begins by itself, at once where there is no window", () => {
    const leader = new Leader().find();
    expect(leader.asksForReleases).equal(true);
    expect(leader.timer).equal(undefined);
  });

  it("waits for its window, looks at the time again, and begins when it is open", () => {
    const leader = new Leader();
    leader.settings = { ...leader.settings, schedule: schedule(2, 4) };
    expect(leader.find().asksForReleases).equal(false);
    expect(leader.timer).equal(HOUR_MS);
    leader.time = MIDNIGHT + 5_400;
    leader.hear({ type: "timerFired", timer: "system.begin" });
    expect([leader.asksForReleases, leader.timer]).deep.equal([false, HOUR_MS / 2]);
    leader.time = MIDNIGHT + 7_200;
    leader.hear({ type: "timerFired", timer: "system.begin" });
    expect(leader.asksForReleases).equal(true);
  });

  it("does not begin in a window while nobody knows the time, nor by itself where its owner wants to be asked", () => {
    const blind = new Leader();
    blind.settings = { ...blind.settings, schedule: schedule(0, 1) };
    blind.time = undefined;
    expect([blind.find().asksForReleases, blind.timer]).deep.equal([false, HOUR_MS]);
    const asked = new Leader();
    asked.settings = { ...asked.settings, installs: false };
    expect([asked.find().asksForReleases, asked.timer]).deep.equal([false, undefined]);
    expect(
      asked.turn((turn) => turn.begin()),
      "but by a word of its owner",
    ).equal(true);
    expect(asked.asksForReleases).equal(true);
    expect(
      asked.turn((turn) => turn.begin()),
      "once",
    ).equal(false);
  });

  it("begins when its owner changes the settings so", () => {
    const leader = new Leader();
    leader.settings = { ...leader.settings, installs: false };
    leader.find();
    leader.settings = { ...leader.settings, installs: true };
    leader.turn((turn) => turn.lookAtSchedule());
    expect(leader.asksForReleases).equal(true);
  });

  it("is not tried again by itself after it has failed", () => {
    const leader = new Leader();
    const entry = { version: "2.0.0", result: "failed", reason: "late", time: 0 } as const;
    leader.state = { ...leader.state, system: { ...leader.state.system, history: [entry] } };
    expect(leader.find().asksForReleases).equal(false);
    const alone = new Leader();
    const other = { ...entry, what: "transmitter" };
    alone.state = { ...alone.state, system: { ...alone.state.system, history: [other] } };
    expect(alone.find().asksForReleases, "of the transmitter alone").equal(true);
  });
});

describe("the transmitter of a receiver", () => {
  it("is answered by the update server, unless both are being updated", () => {
    const leader = new Leader();
    expect(leader.check(OLD)).equal(undefined);
    expect(leader.state.otherImage).equal(OLD);
    leader.lead();
    const answer = JSON.parse(leader.check(OLD) ?? "");
    expect(answer).include({ update_available: true, firmware_id: 8, hold: true });
    expect(leader.check(OLD, { order_results: [] }), "results of orders are the server's").equal(undefined);
    expect(leader.check(OLD, { device_type: "led" }), "another one is not asked for").a("string");
    expect(JSON.parse(leader.check(OLD, { staged_sha256: TRANSMITTER }) ?? "")).include({
      update_available: false,
    });
  });

  it("fetches from the cache what was uploaded for it, also after the receiver has restarted", () => {
    const leader = new Leader();
    leader.uploaded = UPLOADED;
    const image = UPLOADED.release.imageSha256;
    const components = [{ id: "transmitter", image, step: 0 }];
    leader.turn((turn) => turn.beginUploaded({ ...JOB, components, isUploaded: true }));
    leader.state = { ...leader.state, offers: [], led: [] };
    const answer = JSON.parse(leader.check(OLD) ?? "");
    expect(answer).include({ firmware_id: UPLOAD_FIRMWARE_ID, download_url: UPLOADED.target, hold: true });
  });

  it("reports of an uploaded image to the receiver, and of others to the update server", () => {
    const leader = new Leader();
    expect(leader.report({ firmware_id: UPLOAD_FIRMWARE_ID, status: "success" })).equal("{}");
    expect(leader.report({ firmware_id: 3, status: "success" })).equal(undefined);
    expect(leader.reported).include({ deviceId: "t-1", status: "success" });
    expect(leader.turn((turn) => turn.answerOther("/api/ota/status", "[]"))).equal(undefined);
    expect(leader.turn((turn) => turn.answerOther("/api/ota/download/3", ""))).equal(undefined);
  });

  it("makes the whole go back when it refuses its image", () => {
    const leader = new Leader().lead();
    leader.check(OLD);
    leader.report({ firmware_id: 9, status: "failed", error_message: "another one" });
    expect(leader.state.system.job?.phase).equal("staging");
    leader.report({ firmware_id: 8, status: "failed", error_message: "the signature is wrong" });
    // nothing had started: it has ended with that
    expect(leader.state.system.job).equal(undefined);
    expect(leader.entry).include({ result: "failed", reason: "transmitter: the signature is wrong" });
  });

  it("has about as much of its image as is in the air, while it is to be staged", () => {
    const leader = new Leader().lead();
    const percentOf = (image: string, bytes: number) => {
      leader.turn((turn) => turn.sent(image, bytes));
      return leader.state.otherPercent;
    };
    expect(percentOf(TRANSMITTER, 505)).equal(50);
    expect(percentOf(RECEIVER, 900), "of another image").equal(50);
    expect(percentOf(TRANSMITTER, 300), "a block that is repeated").equal(50);
    expect(percentOf(TRANSMITTER, 5_000)).equal(100);
    const idle = new Leader();
    idle.turn((turn) => turn.sent(TRANSMITTER, 500));
    expect(idle.state.otherPercent).equal(0);
  });
});

describe("the history of a pair", () => {
  it("has updates of the transmitter that nobody leads, and is stored", () => {
    const leader = new Leader();
    leader.hear({ ...PEER });
    leader.report({ firmware_id: 3, status: "downloading" });
    expect(leader.entry).equal(undefined);
    leader.report({ firmware_id: 3, status: "success" });
    expect(leader.entry).deep.equal({
      version: "2.1.3",
      result: "finished",
      reason: "",
      time: MIDNIGHT,
      what: "transmitter",
    });
    expect(leader.stored["system.log"]).include('"2.1.3",1');
  });

  it("has a job once, also where the results of its members come later", () => {
    const leader = new Leader().lead();
    leader.state = { ...leader.state, led: [7, 8] };
    leader.report({ firmware_id: 8, status: "success" });
    expect(leader.entry, "while it lasts").equal(undefined);
    leader.state = { ...leader.state, system: { ...leader.state.system, job: undefined } };
    leader.report({ firmware_id: 8, status: "success" });
    expect(leader.entry, "after it").equal(undefined);
  });
});

describe("what a pair has installed last", () => {
  const undoable = { version: "2.0.0", components: JOB.components, until: MIDNIGHT + 60 };
  function finished(change: Partial<LeaderState["system"]> = {}): Leader {
    const leader = new Leader();
    leader.update = { ...leader.update, boot: { ...BOOTED, image: { ...IMAGE, imageSha256: RECEIVER } } };
    leader.state = {
      ...leader.state,
      otherImage: TRANSMITTER,
      system: { ...leader.state.system, undoable, ...change },
    };
    return leader;
  }
  const isPossible = (leader: Leader) => leader.turn((turn) => turn.undoable) !== undefined;

  it("can be taken back while both run it, and not later than the devices allow", () => {
    expect(isPossible(finished())).equal(true);
    const late = finished();
    late.time = MIDNIGHT + 61;
    expect(isPossible(late)).equal(false);
    const other = finished();
    other.state = { ...other.state, otherImage: OLD };
    expect(isPossible(other), "the transmitter runs another one").equal(false);
    const self = finished();
    self.update = { ...self.update, boot: { ...BOOTED, image: IMAGE } };
    expect(isPossible(self), "the receiver does").equal(false);
    const staged = finished();
    staged.update = { ...staged.update, staged: { version: "3.0.0" } as never };
    expect(isPossible(staged), "its other slot holds another image").equal(false);
    const trial = finished();
    trial.update = { ...trial.update, onTrial: true };
    expect(isPossible(trial)).equal(false);
  });

  it("goes back as a job, and only then", () => {
    const leader = finished();
    leader.turn((turn) => turn.undo());
    expect(leader.state.system.job).include({ phase: "goingBack", isUndone: true });
    expect(isPossible(leader)).equal(false);
    const none = finished({ undoable: undefined });
    none.turn((turn) => turn.undo());
    expect(none.state.system.job).equal(undefined);
  });
});

describe("events of the leader's", () => {
  it("are answers to its requests, and its timers", () => {
    for (const event of [
      { type: "responseStarted", attempt: -1_000_000_001 },
      { type: "requestFailed", attempt: -2_000_000_001 },
      { type: "timerFired", timer: "system.begin" },
      { type: "timerFired", timer: "system.poll" },
    ])
      expect(isLeaders(event), JSON.stringify(event)).equal(true);
    for (const event of [
      { type: "responseStarted", attempt: -3 },
      { type: "responseStarted", attempt: 2 },
      { type: "timerFired", timer: "check" },
      { type: "booted" },
    ])
      expect(isLeaders(event), JSON.stringify(event)).equal(false);
  });
});
