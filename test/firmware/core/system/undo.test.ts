// What was finished, and goes back because its owner wants it to; and images that a person has uploaded, which are no version of the system.

import { expect } from "chai";
import type { Stamped } from "../../../../firmware/core/event.js";
import { hasFailed, lastInstalled } from "../../../../firmware/core/system/history.js";
import { JOB_KEY } from "../../../../firmware/core/system/job.js";
import {
  initialSystem,
  type SystemState,
  systemStep,
} from "../../../../firmware/core/system/orchestrator.js";
import {
  isOverdue,
  MAX_UNDOABLE_LENGTH,
  readUndoable,
  undoableOf,
  writeUndoable,
} from "../../../../firmware/core/system/undoable.js";
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
const NOW = 1_800_000_000;
const DAY = 86_400;

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
const runs = (image: string): ComponentReport => ({ image });

/** A leader whose stores succeed at once. */
class Leader {
  state: SystemState = initialSystem;
  stored: Record<string, string> = {};
  asked: string[] = [];
  raised: string[] = [];

  give(event: SystemInput): this {
    this.asked = [];
    this.raised = [];
    this.#step(event);
    return this;
  }

  #step(event: SystemInput): void {
    const stamped = { ...event, at: 0, random: 0.5, freeHeapBytes: 100_000 } as Stamped<SystemInput>;
    const [state, effects] = systemStep(this.state, stamped, NOW);
    this.state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: SystemEffect): void {
    if ("id" in effect) this.asked.push(`${effect.type} ${effect.id}`);
    if (effect.type === "raise") this.raised.push(effect.event.type);
    if (effect.type !== "save") return;
    for (const [key, value] of Object.entries(effect.values))
      if (value === undefined) delete this.stored[key];
      else this.stored[key] = value;
    this.#step({ type: "saved", purpose: effect.purpose });
  }

  report = (id: string, report: ComponentReport): this =>
    this.give({ type: "componentReported", id, report });
  tick = (): this => this.give({ type: "timerFired", timer: "system.tick" });
  reboot = (): this => this.give({ ...BOOTED, stored: this.stored });
  cancel = (): this => this.give({ type: "systemCancelled", reason: "by the owner" });

  /** Both run their new images for good. */
  finish(change: Partial<SystemJob> = {}): this {
    this.give({ type: "systemOffered", job: { ...JOB, ...change } });
    for (const { id, image } of change.components ?? JOB.components)
      this.report(id, was).report(id, { image: OLD, staged: image });
    for (const { id, image } of change.components ?? JOB.components) this.report(id, runs(image));
    return this;
  }

  undo(): this {
    const { undoable } = this.state;
    if (!undoable) throw new Error("there is nothing to undo");
    return this.give({ type: "systemReverted", ...undoable, reason: "rolled back by the owner" });
  }
}

describe("an update of several devices that was finished", () => {
  it("can be undone, also after a restart, until another one begins", () => {
    const leader = new Leader().finish();
    expect(leader.raised).include("systemFinished");
    const undoable = { version: "2.0.0", components: JOB.components, until: NOW + 6 * DAY };
    expect(leader.state.undoable).deep.equal(undoable);
    expect(leader.reboot().state.undoable).deep.equal(undoable);
    leader.give({ type: "systemOffered", job: { ...JOB, version: "3.0.0" } });
    expect(leader.state.undoable).equal(undefined);
    expect(leader.reboot().state.undoable).equal(undefined);
  });

  it("goes back one device after the other, the last one first, and is not installed again by itself", () => {
    const leader = new Leader().finish().undo();
    expect(leader.asked).deep.equal(["askComponent transmitter"]);
    leader.report("receiver", runs(RECEIVER)).report("transmitter", runs(TRANSMITTER));
    expect(leader.asked).deep.equal(["rollBackComponent transmitter"]);
    expect(leader.tick().asked, "the receiver stays until the transmitter is back").deep.equal([
      "rollBackComponent transmitter",
    ]);
    expect(leader.report("transmitter", was).asked).deep.equal(["rollBackComponent receiver"]);
    expect(leader.report("receiver", was).raised).include("systemFailed");
    const { history, undoable } = leader.state;
    expect(history[0]).include({ result: "failed", reason: "rolled back by the owner" });
    expect(hasFailed(history, "2.0.0")).equal(true);
    expect(undoable).equal(undefined);
  });

  it("goes on with that after a restart in the middle", () => {
    const leader = new Leader().finish().undo().report("transmitter", was);
    leader.reboot();
    expect(leader.asked).include("askComponent transmitter");
    leader.report("receiver", runs(RECEIVER));
    expect(leader.asked, "where the transmitter is, is not known yet").deep.equal([]);
    expect(leader.report("transmitter", was).asked).deep.equal(["rollBackComponent receiver"]);
  });

  it("stays as it is if that is given up before a device is back, and not later", () => {
    const early = new Leader().finish().undo().report("transmitter", runs(TRANSMITTER)).cancel();
    expect(early.state.job).equal(undefined);
    expect(early.stored[JOB_KEY]).equal(undefined);
    expect(early.state.undoable).include({ version: "2.0.0" });
    expect(early.state.history[0]?.result).equal("finished");
    const late = new Leader().finish().undo().report("transmitter", was).cancel();
    expect(late.state.job).include({ phase: "goingBack" });
  });

  it("is not undone while another job is under way", () => {
    const leader = new Leader().finish();
    const undoable = leader.state.undoable!;
    leader.give({ type: "systemOffered", job: { ...JOB, version: "3.0.0" } });
    leader.give({ type: "systemReverted", ...undoable, reason: "" });
    expect(leader.raised).deep.equal(["systemRefused"]);
    expect(leader.state.job).include({ version: "3.0.0", phase: "staging" });
  });

  it("cannot be undone where a device had its image before", () => {
    const leader = new Leader().give({ type: "systemOffered", job: JOB }).report("receiver", runs(RECEIVER));
    leader.report("transmitter", was).report("transmitter", { image: OLD, staged: TRANSMITTER });
    leader.report("transmitter", runs(TRANSMITTER));
    expect(leader.state.history[0]?.result).equal("finished");
    expect(leader.state.undoable).equal(undefined);
  });

  it("is kept as a text that is read again, for six days, and of a few devices only", () => {
    const undoable = new Leader().finish({ isUploaded: true }).state.undoable!;
    expect(readUndoable(writeUndoable(undoable))).deep.equal(undoable);
    expect(undoable.isUploaded).equal(true);
    for (const text of [undefined, "", "{}", writeUndoable(undoable).replace("until", "untill")])
      expect(readUndoable(text)).equal(undefined);
    expect(isOverdue(undoable, NOW + 6 * DAY)).equal(false);
    expect(isOverdue(undoable, NOW + 6 * DAY + 1)).equal(true);
    expect(isOverdue({ ...undoable, until: 0 }, NOW + 60 * DAY), "no time was known").equal(false);
    expect(writeUndoable(undoable).length).below(MAX_UNDOABLE_LENGTH);
    const members = Array.from({ length: 30 }, (_, at) => ({ id: `node-${at}`, image: RECEIVER, step: 0 }));
    const job = { ...JOB, phase: "committing", step: 0, members, reason: "" } as const;
    expect(undoableOf(job, NOW)).equal(undefined);
  });
});

describe("images that were uploaded", () => {
  it("are named in the history by their devices, and are no version of the system", () => {
    const leader = new Leader().finish({ isUploaded: true });
    expect(leader.state.history[0]).include({ version: "2.0.0", what: "both" });
    expect(lastInstalled(leader.state.history)).equal("");
    const [transmitter] = JOB.components.slice(1);
    const alone = new Leader().finish({ isUploaded: true, components: [{ ...transmitter!, step: 0 }] });
    expect(alone.state.history[0]).include({ what: "transmitter" });
  });

  it("are kept as such over a restart", () => {
    const leader = new Leader().give({
      type: "systemOffered",
      job: { ...JOB, isUploaded: true, mayMisfit: true },
    });
    const { job } = leader.state;
    expect(leader.reboot().state.job).deep.equal(job);
    expect(job).include({ isUploaded: true, mayMisfit: true });
  });

  it("go back where the devices do not work together, unless that was allowed", () => {
    const misfits = (change: Partial<SystemJob>) => {
      const leader = new Leader().give({ type: "systemOffered", job: { ...JOB, ...change } });
      for (const { id, image } of JOB.components)
        leader.report(id, was).report(id, { image: OLD, staged: image });
      leader.report("receiver", runs(RECEIVER));
      return leader.report("transmitter", { image: TRANSMITTER, isMisfit: true });
    };
    expect(misfits({ mayMisfit: true }).raised).include("systemFinished");
    const strict = misfits({});
    expect(strict.raised).not.include("systemFinished");
    strict.give({ type: "timerFired", timer: "system.deadline" });
    expect(strict.state.job).include({ phase: "goingBack" });
  });
});
