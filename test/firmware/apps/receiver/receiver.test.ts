// The device of the `receiver` app as a whole: what its leader decides reaches its core.

import { expect } from "chai";
import {
  initialReceiver,
  type ReceiverEvent,
  type ReceiverSettings,
  type ReceiverState,
  receiverStep,
} from "../../../../firmware/apps/receiver/core/receiver.js";
import type { Stamped } from "../../../../firmware/core/event.js";
import { begin, JOB_KEY, type Job, writeJob } from "../../../../firmware/core/system/job.js";
import { AT_ONCE } from "../../../../firmware/core/system/schedule.js";
import { BOOTED, stamped } from "../../core/events.js";

const SETTINGS: ReceiverSettings = {
  pair: { peerType: "transmitter", protocolVersion: 1, minCompatible: 0 },
  gateway: { group: 1, cacheBytes: 0x10000 },
  leader: { system: "pair", installs: true, schedule: AT_ONCE, pollSeconds: 3600 },
  page: "<!doctype html>",
  told: undefined,
};
const IMAGES = ["b".repeat(64), "c".repeat(64)] as const;
const JOB = begin({
  version: "1.1.0",
  rule: "all",
  components: [
    { id: "receiver", image: IMAGES[0], step: 0 },
    { id: "transmitter", image: IMAGES[1], step: 1 },
  ],
  rebootDelaySeconds: 5,
  healthTimeoutSeconds: 30,
  stageTimeoutSeconds: 3600,
}) as Job;

const step = (state: ReceiverState, event: Stamped<ReceiverEvent>) => receiverStep(state, event, SETTINGS);
const bootWith = (stored: Readonly<Record<string, string>>) =>
  step(initialReceiver, stamped({ ...BOOTED, stored: { ...BOOTED.stored, ...stored } }));

describe("a receiver", () => {
  it("that starts in the middle of a job keeps its other slot from everything but the job's images", () => {
    const [state] = bootWith({ [JOB_KEY]: writeJob(JOB) });
    expect(state.gateway.device.update.reserved?.images).deep.equal(IMAGES);
    const [free] = bootWith({});
    expect(free.gateway.device.update.reserved).equal(undefined);
  });

  it("lets other installations begin again when the job has ended", () => {
    const goingBack: Job = { ...JOB, phase: "goingBack", reason: "cancelled" };
    const [state] = bootWith({ [JOB_KEY]: writeJob(goingBack) });
    expect(state.gateway.device.update.reserved?.images).deep.equal([]);
    // nothing had started: after a minute nobody is waited for
    const late = { type: "timerFired", timer: "system.deadline" } as never;
    const [ending, saving] = step(state, stamped(late));
    expect(saving.map(({ type }) => type)).include("save");
    const [ended] = step(ending, stamped({ type: "saved", purpose: "system" }));
    expect(ended.leader.system.job).equal(undefined);
    expect(ended.gateway.device.update.reserved).equal(undefined);
  });

  it("leaves to its adapters nothing that is for its core", () => {
    const [, effects] = bootWith({ [JOB_KEY]: writeJob(JOB) });
    expect(effects.map(({ type }) => String(type))).not.include.members(["tellSelf"]);
    expect(effects.map(({ type }) => String(type))).not.include.members(["askSelf"]);
  });
});
