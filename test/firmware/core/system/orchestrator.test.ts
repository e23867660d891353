// The leader of a system, event by event. What it ends with in all states is in test/firmware/system.

import { expect } from "chai";
import type { Stamped } from "../../../../firmware/core/event.js";
import { HISTORY_KEY, readHistory } from "../../../../firmware/core/system/history.js";
import { JOB_KEY } from "../../../../firmware/core/system/job.js";
import {
  initialSystem,
  isLeading,
  type SystemState,
  systemStep,
} from "../../../../firmware/core/system/orchestrator.js";
import type {
  ComponentReport,
  SystemEffect,
  SystemInput,
  SystemJob,
} from "../../../../firmware/core/system/vocabulary.js";
import { BOOTED } from "../events.js";

const RECEIVER = "a".repeat(64);
const TRANSMITTER = "b".repeat(64);
const OLD = "0".repeat(64);

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

const was: ComponentReport = { image: OLD };
const staged = (image: string): ComponentReport => ({ image: OLD, staged: image });
const trying = (image: string): ComponentReport => ({ image, isOnTrial: true });
const runs = (image: string): ComponentReport => ({ image });

/** The leader, whose stores succeed at once unless a test says otherwise. */
class Leader {
  state: SystemState = initialSystem;
  stored: Record<string, string> = {};
  effects: SystemEffect[] = [];
  canStore = true;
  isSlow = false;

  give(event: SystemInput, time = 1_000): this {
    this.effects = [];
    this.#step(event, time);
    return this;
  }

  #step(event: SystemInput, time: number): void {
    const stamped = { ...event, at: 0, random: 0.5, freeHeapBytes: 100_000 } as Stamped<SystemInput>;
    const [state, effects] = systemStep(this.state, stamped, time);
    this.state = state;
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.type !== "save" || this.isSlow) continue;
      if (this.canStore)
        for (const [key, value] of Object.entries(effect.values))
          if (value === undefined) delete this.stored[key];
          else this.stored[key] = value;
      const { purpose } = effect;
      this.#step(
        this.canStore ? { type: "saved", purpose } : { type: "saveFailed", purpose, message: "full" },
        time,
      );
    }
  }

  offer(change: Partial<SystemJob> = {}): this {
    return this.give({ type: "systemOffered", job: { ...JOB, ...change } });
  }

  report(id: string, report: ComponentReport): this {
    return this.give({ type: "componentReported", id, report });
  }

  tick = (): this => this.give({ type: "timerFired", timer: "system.tick" });
  late = (): this => this.give({ type: "timerFired", timer: "system.deadline" });

  reboot(): this {
    return this.give({ ...BOOTED, stored: this.stored });
  }

  /** Both have their images in their slots. */
  ready(): this {
    return this.offer()
      .report("receiver", was)
      .report("transmitter", was)
      .report("receiver", staged(RECEIVER))
      .report("transmitter", staged(TRANSMITTER));
  }

  get asked(): string[] {
    return this.effects.flatMap((effect) => ("id" in effect ? [`${effect.type} ${effect.id}`] : []));
  }

  get raised() {
    return this.effects.flatMap((effect) => (effect.type === "raise" ? [effect.event] : []));
  }

  get deadline() {
    return this.effects.find((effect) => "timer" in effect && effect.timer === "system.deadline");
  }

  get phase() {
    return this.state.job && `${this.state.job.phase} ${this.state.job.step}`;
  }
}

const deadlineOf = (delayMs: number) => ({ type: "setTimer", timer: "system.deadline", delayMs });

const HELD = {
  type: "installationsHeld",
  reason: "the system is being updated to 2.0.0",
  images: [RECEIVER, TRANSMITTER],
};
const HELD_ON_THE_WAY_BACK = { ...HELD, reason: "the system goes back from 2.0.0", images: [] };

describe("the leader of a system", () => {
  it("stores a job before it asks anyone, then has everything staged, and starts nothing before all are ready", () => {
    const leader = new Leader().offer();
    expect(leader.effects[0], "before anything else can be installed").deep.equal({
      type: "raise",
      event: HELD,
    });
    expect(leader.effects[1]?.type).equal("save");
    expect(leader.asked).deep.equal(["askComponent receiver", "askComponent transmitter"]);
    expect(leader.deadline).deep.equal(deadlineOf(3_600_000));
    expect(leader.report("receiver", was).asked).deep.equal(["stageComponent receiver"]);
    expect(leader.report("transmitter", was).asked).deep.equal(["stageComponent transmitter"]);
    expect(leader.report("receiver", staged(RECEIVER)).asked).deep.equal([]);
    expect(leader.phase).equal("staging -1");
    leader.report("transmitter", staged(TRANSMITTER));
    expect(leader.phase).equal("committing 0");
    expect(leader.asked).deep.equal(["commitComponent receiver"]);
    expect(leader.deadline).deep.equal(deadlineOf(32_000));
  });

  it("starts one step after the other: the next when the one before has passed its trial", () => {
    const leader = new Leader().ready().report("receiver", trying(RECEIVER));
    expect(leader.asked).deep.equal(["askComponent receiver"]);
    expect(leader.deadline).deep.equal(deadlineOf(330_000));
    leader.report("receiver", runs(RECEIVER));
    expect(leader.phase).equal("committing 1");
    expect(leader.asked).deep.equal(["commitComponent transmitter"]);
    leader.report("transmitter", trying(TRANSMITTER)).report("transmitter", runs(TRANSMITTER));
    expect(leader.raised).deep.equal([
      { type: "installationsFreed" },
      { type: "systemProgressed", version: "2.0.0" },
      { type: "systemFinished", version: "2.0.0", without: [] },
    ]);
    expect(isLeading(leader.state)).equal(false);
    expect(leader.stored[JOB_KEY]).equal(undefined);
    expect(readHistory(leader.stored[HISTORY_KEY])).deep.equal([
      { version: "2.0.0", result: "finished", reason: "", time: 1_000 },
    ]);
    expect(leader.tick().effects, "nothing is left to do").deep.equal([]);
  });

  it("goes on from what is stored after its own restart, and asks everyone what they are", () => {
    const leader = new Leader().ready().reboot();
    expect(leader.asked).deep.equal(["askComponent receiver", "askComponent transmitter"]);
    expect(leader.phase).equal("committing 0");
    leader.report("receiver", runs(RECEIVER));
    expect(leader.phase, "it has not heard whether the other one is ready still").equal("committing 0");
    leader.report("transmitter", staged(TRANSMITTER));
    expect(leader.asked).deep.equal(["commitComponent transmitter"]);
  });

  it("does not ask the same again before the next tick", () => {
    const leader = new Leader().ready();
    expect(leader.report("receiver", staged(RECEIVER)).asked).deep.equal([]);
    expect(leader.tick().asked).deep.equal(["commitComponent receiver"]);
    expect(leader.effects).deep.include({ type: "setTimer", timer: "system.tick", delayMs: 5_000 });
  });

  it("gives up without a trace what a component refuses before anything has started", () => {
    const leader = new Leader().offer().report("receiver", staged(RECEIVER));
    const refused = { image: TRANSMITTER, reason: "release is for hardware x" };
    leader.report("transmitter", { image: OLD, refused });
    expect(leader.phase).equal("goingBack -1");
    expect(leader.asked).deep.equal(["abandonComponent receiver"]);
    expect(leader.deadline).deep.equal(deadlineOf(60_000));
    leader.report("receiver", was);
    expect(leader.raised.at(-1)).deep.equal({
      type: "systemFailed",
      version: "2.0.0",
      reason: "transmitter: release is for hardware x",
    });
  });

  it("ignores that a component has refused another image", () => {
    const leader = new Leader().offer();
    leader.report("transmitter", { image: OLD, refused: { image: RECEIVER, reason: "it is not for me" } });
    expect(leader.phase).equal("staging -1");
    expect(leader.asked).deep.equal(["stageComponent transmitter"]);
  });

  it("does not wait for ever for what is staged to be dropped by who is away", () => {
    const leader = new Leader().offer().report("receiver", staged(RECEIVER)).late();
    expect(leader.phase).equal("goingBack -1");
    expect(leader.late().raised.at(-1)).deep.equal({
      type: "systemFailed",
      version: "2.0.0",
      reason: "transmitter: the image was not staged within 3600 s",
    });
  });

  for (const [what, reports, reason] of [
    ["does not answer with its new image in time", [], "receiver: no answer with the new image within 32 s"],
    [
      "does not pass its trial",
      [trying(RECEIVER)],
      "receiver: the trial of the new image was not passed within 330 s",
    ],
  ] as const)
    it(`takes all back when one ${what}`, () => {
      const leader = new Leader().ready();
      for (const report of reports) leader.report("receiver", report);
      leader.late();
      expect(leader.phase).equal("goingBack 0");
      expect(leader.asked[0], "who is to start last is asked first").equal("abandonComponent transmitter");
      leader.report("transmitter", was).report("receiver", trying(RECEIVER));
      expect(isLeading(leader.state)).equal(true);
      expect(leader.tick().asked).deep.equal(["rollBackComponent receiver"]);
      leader.report("receiver", was);
      expect(leader.raised.at(-1)).deep.equal({ type: "systemFailed", version: "2.0.0", reason });
    });

  it("takes back a component that has passed its trial, too, when another one fails", () => {
    const leader = new Leader().ready().report("receiver", runs(RECEIVER));
    expect(leader.deadline, "of the next one").deep.equal(deadlineOf(32_000));
    leader.report("transmitter", { image: OLD, refused: { image: TRANSMITTER, reason: "it crashed" } });
    expect(leader.phase).equal("goingBack 1");
    expect(leader.asked).deep.equal(["rollBackComponent receiver"]);
    leader.report("receiver", was);
    expect(leader.raised.at(-1)?.type).equal("systemFailed");
  });

  it("waits for one that was told to start and is away, however long: it may come back with either image", () => {
    const leader = new Leader().ready().report("receiver", runs(RECEIVER)).late();
    expect(leader.phase).equal("goingBack 1");
    expect(leader.deadline, "there is none").deep.equal({ type: "clearTimer", timer: "system.deadline" });
    leader.report("receiver", was).reboot().report("receiver", was);
    for (let i = 0; i < 100; i++) expect(leader.tick().asked).deep.equal(["askComponent transmitter"]);
    expect(leader.report("transmitter", runs(TRANSMITTER)).asked).deep.equal([
      "rollBackComponent transmitter",
    ]);
    expect(leader.report("transmitter", was).raised.at(-1)?.type).equal("systemFailed");
  });

  it("ends without one that its owner does without", () => {
    const leader = new Leader()
      .ready()
      .report("receiver", runs(RECEIVER))
      .late()
      .report("receiver", was)
      .reboot();
    leader.report("receiver", was);
    expect(leader.give({ type: "componentRemoved", id: "unknown" }).effects).deep.equal([]);
    leader.give({ type: "componentRemoved", id: "transmitter" });
    expect(leader.raised.at(-1)?.type).equal("systemFailed");
  });

  it("ends if all components are removed", () => {
    const leader = new Leader().offer().give({ type: "componentRemoved", id: "receiver" });
    leader.give({ type: "componentRemoved", id: "transmitter" });
    expect(leader.raised.at(-1)).include({ type: "systemFailed" });
    expect(leader.stored[JOB_KEY]).equal(undefined);
  });

  it("takes all back when they run the new images and do not work together, after the time that they have for it", () => {
    const leader = new Leader().ready().report("receiver", { ...runs(RECEIVER), isMisfit: true });
    expect(leader.phase, "the other one is still to come").equal("committing 1");
    leader.report("transmitter", runs(TRANSMITTER));
    expect(leader.deadline).deep.equal(deadlineOf(30_000));
    leader.late();
    expect(leader.phase).equal("goingBack 1");
    expect(leader.asked).deep.equal(["rollBackComponent transmitter", "rollBackComponent receiver"]);
    expect(leader.state.job?.reason).equal("receiver: it does not work together with the others within 30 s");
  });

  it("is done as soon as they do work together", () => {
    const leader = new Leader().ready().report("receiver", { ...runs(RECEIVER), isMisfit: true });
    leader.report("transmitter", runs(TRANSMITTER)).report("receiver", runs(RECEIVER));
    expect(leader.raised.at(-1)?.type).equal("systemFinished");
  });

  it("takes all back when a component says that something is wrong with it", () => {
    const leader = new Leader().ready().report("receiver", { ...runs(RECEIVER), problem: "no sensor" });
    expect(leader.phase).equal("goingBack 0");
    expect(leader.state.job?.reason).equal("receiver: no sensor");
  });

  it("goes back when its owner cancels, from wherever it is", () => {
    const cancel = { type: "systemCancelled", reason: "not today" } as const;
    const early = new Leader().offer().report("receiver", was).report("transmitter", was).give(cancel);
    expect(early.raised.at(-1)).deep.equal({
      type: "systemFailed",
      version: "2.0.0",
      reason: "cancelled: not today",
    });
    const late = new Leader().ready().report("receiver", runs(RECEIVER)).give(cancel);
    expect(late.asked).deep.equal(["abandonComponent transmitter", "rollBackComponent receiver"]);
    expect(late.give(cancel).effects, "once").deep.equal([]);
    expect(new Leader().give(cancel).effects, "without a job").deep.equal([]);
  });

  it("leaves alone what ran the new image before", () => {
    const leader = new Leader()
      .offer()
      .report("receiver", runs(RECEIVER))
      .report("transmitter", staged(TRANSMITTER));
    expect(leader.phase).equal("committing 1");
    expect(leader.asked).deep.equal(["commitComponent transmitter"]);
    expect(leader.reboot().report("receiver", runs(RECEIVER)).phase).equal("committing 1");
    leader.late();
    expect(leader.asked).deep.equal(["askComponent transmitter"]);
    leader.tick().report("transmitter", was);
    expect(leader.raised.at(-1)?.type).equal("systemFailed");
  });

  it("decides nothing and asks nobody while a decision is not stored, and tries again", () => {
    const leader = new Leader().offer().report("receiver", staged(RECEIVER));
    leader.canStore = false;
    leader.report("transmitter", staged(TRANSMITTER));
    expect(leader.asked).deep.equal([]);
    expect(leader.report("receiver", staged(RECEIVER)).asked).deep.equal([]);
    expect(leader.late().effects).deep.equal([]);
    expect(leader.tick().asked, "it fails again").deep.equal([]);
    leader.canStore = true;
    expect(leader.tick().asked).deep.equal(["commitComponent receiver"]);
    expect(leader.deadline, "and the deadline begins").deep.equal(deadlineOf(32_000));
  });

  it("asks nobody before it has heard that a decision is stored", () => {
    const leader = new Leader().offer().report("receiver", staged(RECEIVER));
    leader.isSlow = true;
    expect(leader.report("transmitter", staged(TRANSMITTER)).asked).deep.equal([]);
    expect(leader.report("receiver", staged(RECEIVER)).asked).deep.equal([]);
    expect(leader.tick().asked).deep.equal([]);
    leader.give({ type: "systemCancelled", reason: "not today" });
    expect(leader.give({ type: "saved", purpose: "system" }).asked, "another store is under way").deep.equal(
      [],
    );
    leader.give({ type: "saved", purpose: "system" });
    expect(leader.asked).deep.equal(["abandonComponent transmitter", "abandonComponent receiver"]);
  });

  it("refuses another job while it has one, and one that it cannot keep", () => {
    const leader = new Leader().offer();
    expect(leader.offer({ version: "3.0.0" }).raised).deep.equal([
      { type: "systemRefused", version: "3.0.0", reason: "2.0.0 is not done yet" },
    ]);
    expect(leader.state.job?.version).equal("2.0.0");
    expect(new Leader().offer({ components: [] }).raised[0]).include({
      type: "systemRefused",
      reason: "it has 0 components, 1 to 64 can be led",
    });
  });

  it("ignores components that it does not know, stores of others, and timers without a job", () => {
    const leader = new Leader().offer();
    expect(leader.report("stranger", was).effects).deep.equal([]);
    expect(leader.give({ type: "saved", purpose: "settings" }).effects).deep.equal([]);
    expect(leader.give({ type: "saveFailed", purpose: "token", message: "full" }).effects).deep.equal([]);
    const idle = new Leader();
    expect(idle.tick().effects).deep.equal([]);
    expect(idle.late().effects).deep.equal([]);
    expect(idle.report("receiver", was).effects).deep.equal([]);
  });

  it("keeps every other installation out while a job lasts, and again after a boot before anything else", () => {
    const leader = new Leader().ready();
    expect(leader.raised, "told once").not.deep.include(HELD);
    leader.reboot();
    expect(leader.effects[0]).deep.equal({ type: "raise", event: HELD });
    leader.give({ type: "systemCancelled", reason: "no" });
    expect(leader.raised[0]).deep.equal(HELD_ON_THE_WAY_BACK);
    leader.reboot();
    expect(leader.raised[0]).deep.equal(HELD_ON_THE_WAY_BACK);
    leader.report("receiver", was).report("transmitter", was);
    expect(leader.raised[0]).deep.equal({ type: "installationsFreed" });
    expect(leader.reboot().raised, "there is no job any more").deep.equal([]);
  });

  it("forgets a job that it cannot read, and says so", () => {
    const leader = new Leader();
    leader.stored = { [JOB_KEY]: '{"format":2}' };
    leader.reboot();
    expect(leader.effects[0]).include({ type: "log", level: "error" });
    expect(leader.stored[JOB_KEY]).equal(undefined);
    expect(isLeading(leader.state)).equal(false);
    expect(leader.offer().phase).equal("staging -1");
  });

  describe("where each component is on its own", () => {
    const each = { rule: "each" } as const;

    it("leaves out one that fails, and leads the others on", () => {
      const leader = new Leader().offer(each).report("transmitter", staged(TRANSMITTER));
      leader.report("receiver", { image: OLD, refused: { image: RECEIVER, reason: "too large" } });
      expect(leader.phase).equal("committing 1");
      expect(leader.asked).deep.equal(["commitComponent transmitter"]);
      leader.report("transmitter", runs(TRANSMITTER));
      expect(leader.raised.at(-1)).deep.equal({
        type: "systemFinished",
        version: "2.0.0",
        without: ["receiver"],
      });
      expect(readHistory(leader.stored[HISTORY_KEY])[0]?.reason).equal("receiver: too large");
    });

    it("does not take back those that have succeeded", () => {
      const leader = new Leader().offer(each);
      leader.report("receiver", staged(RECEIVER)).report("transmitter", staged(TRANSMITTER));
      leader.report("receiver", runs(RECEIVER)).late();
      expect(leader.raised.at(-1)).deep.equal({
        type: "systemFinished",
        version: "2.0.0",
        without: ["transmitter"],
      });
      expect(leader.asked).deep.equal([]);
    });

    it("has failed if all have", () => {
      const leader = new Leader().offer(each).late();
      expect(leader.raised.at(-1)).include({ type: "systemFailed" });
    });
  });
});
