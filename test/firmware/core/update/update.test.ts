// The update machine: which events move it on, in which phase.

import { expect } from "chai";
import type { Event } from "../../../../firmware/core/event.js";
import {
  enter,
  initialUpdate,
  STALL_MS,
  type UpdatePhase,
  type UpdateState,
} from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { Download } from "../download.js";
import { BOOTED, stamped } from "../events.js";
import { inPhase, JOB, jobOf } from "../update-phases.js";

const CHECK: Event = { type: "timerFired", timer: "check" };
const RETRY: Event = { type: "timerFired", timer: "retry" };
const TRANSFER: Event = { type: "timerFired", timer: "transfer" };

const booted: UpdateState = {
  ...updateStep(initialUpdate, stamped(BOOTED))[0],
  server: "http://updates.test",
};
const at = (phase: UpdatePhase, online = true) => inPhase(phase, { ...booted, online });
const typesAfter = (state: UpdateState, event: Event) =>
  updateStep(state, stamped(event))[1].map(({ type }) => type);
const phaseAfter = (state: UpdateState, event: Event) => updateStep(state, stamped(event))[0].phase;

describe("the update machine", () => {
  it("checks when the timer fires, only when it is idle and online", () => {
    expect(phaseAfter(at("idle"), CHECK)).equal("checking");
    expect(phaseAfter(at("idle", false), CHECK)).equal("idle");
    for (const phase of ["streaming", "waiting", "rearming", "restarting"] as const)
      expect(typesAfter(at(phase), CHECK), phase).deep.equal([]);
  });

  it("asks nobody while it has no server that can be asked, and looks again at the next check", () => {
    expect(typesAfter({ ...at("idle"), server: "" }, CHECK)).deep.equal(["setTimer"]);
  });

  it("checks within two seconds of joining, at random, and resumes a waiting download as soon", () => {
    const online: Event = { type: "online", address: "192.168.1.20", rssi: -50 };
    const timerAfter = (phase: UpdatePhase) => updateStep(at(phase, false), stamped(online, 0.25))[1];
    expect(timerAfter("idle")).deep.equal([{ type: "setTimer", timer: "check", delayMs: 500 }]);
    expect(timerAfter("waiting")).deep.equal([{ type: "setTimer", timer: "retry", delayMs: 500 }]);
    expect(timerAfter("streaming")).deep.equal([]);
  });

  it("resumes after a pause only when it is online", () => {
    expect(phaseAfter(at("waiting"), RETRY)).equal("resuming");
    expect(phaseAfter(at("waiting", false), RETRY)).equal("waiting");
    expect(phaseAfter(at("idle"), RETRY)).equal("idle");
  });

  it("ignores answers to what it no longer waits for", () => {
    const streaming = at("streaming");
    const digest = new Uint8Array(32);
    for (const attempt of [streaming.attempt - 2, streaming.attempt + 2])
      for (const event of [
        { type: "slotHashed", attempt, offset: 0, digest },
        { type: "slotFailed", attempt, message: "late" },
        { type: "responseEnded", attempt },
      ] as const)
        expect(updateStep(streaming, stamped(event)), event.type).deep.equal([streaming, []]);
  });

  it("gives up a transfer after 30 seconds without a byte, and tries again", () => {
    for (const phase of ["fetching", "requesting", "streaming"] as const) {
      const [state, effects] = updateStep(at(phase), stamped(TRANSFER));
      expect(state.phase, phase).equal("waiting");
      expect(JSON.stringify(effects)).include(`no byte for ${STALL_MS / 1000} s at byte 0 of 40000`);
    }
    expect(phaseAfter(at("checking"), TRANSFER)).equal("idle");
    expect(phaseAfter(at("proving"), TRANSFER)).equal("proving");
  });

  it("waits for the network when it is lost during a transfer, and ignores that otherwise", () => {
    for (const phase of ["fetching", "requesting", "streaming"] as const)
      expect(phaseAfter(at(phase), { type: "offline" }), phase).equal("waiting");
    for (const phase of ["resuming", "proving", "arming"] as const)
      expect(phaseAfter(at(phase), { type: "offline" }), phase).equal(phase);
    expect(phaseAfter(at("checking"), { type: "offline" })).equal("idle");
    expect(updateStep(at("idle"), stamped({ type: "offline" }))[0].online).equal(false);
  });

  it("does not treat a connection that ends after the last byte as a failure", () => {
    const { release } = JOB;
    const all = { offset: release.size, rangeEnd: release.size };
    const complete = inPhase("streaming", booted, all);
    const { attempt } = complete;
    for (const event of [
      { type: "responseEnded", attempt },
      { type: "requestFailed", attempt, message: "reset" },
    ] as const)
      expect(phaseAfter(complete, event), event.type).equal("streaming");
    const partly = inPhase("streaming", booted, { ...all, offset: release.size - 1 });
    expect(phaseAfter(partly, { type: "responseEnded", attempt })).equal("waiting");
  });

  it("restarts only when an image is armed", () => {
    const restart: Event = { type: "timerFired", timer: "restart" };
    expect(typesAfter(at("restarting"), restart)).deep.equal(["restart"]);
    for (const phase of ["idle", "streaming", "arming"] as const)
      expect(typesAfter(at(phase), restart), phase).deep.equal([]);
  });

  it("stops whatever it does when the trial of this image has failed", () => {
    const [state, effects] = updateStep(at("streaming"), stamped({ type: "trialFailed", reason: "no" }));
    expect(state).include({ phase: "idle" }).and.not.property("job");
    expect(effects).deep.equal([{ type: "closeRequest", attempt: state.attempt }]);
  });

  it("sends the results of orders only to the server that gave them", () => {
    const orderResults = [{ id: 1, result: "done" }] as const;
    const chosen = (server: string) =>
      updateStep(
        { ...booted, server: "http://a.test", orderResults },
        stamped({ type: "serverChosen", server, checkSeconds: 60, hasOwnPace: false }),
      )[0].orderResults;
    expect(chosen("http://a.test")).deep.equal(orderResults);
    expect(chosen("http://b.test")).deep.equal([]);
  });

  it("keeps nothing of an update when it is over", () => {
    const keys = Object.keys(initialUpdate).sort();
    const good = new Download({ sizeBytes: 5 * 4096 }).run();
    expect(Object.keys(good.state).sort(), "restarting").deep.equal(keys);
    const bad = new Download({ sizeBytes: 5 * 4096, lie: (_, honest) => ({ ...honest, status: 500 }) }).run();
    expect(Object.keys(bad.state).sort(), "failed").deep.equal(keys);
    for (const phase of ["verifying", "streaming", "rearming"] as const)
      expect(Object.keys(enter(at(phase), { phase: "idle" })).sort(), phase).deep.equal(keys);
  });

  it("keeps its job from one phase to the next", () => {
    const state = inPhase("waiting", { ...booted, online: true }, { failureCount: 3, verifiedBytes: 16_384 });
    const [resumed] = updateStep(state, stamped(RETRY));
    expect(jobOf(resumed)).include({ failureCount: 3, verifiedBytes: 16_384, offset: 16_384 });
  });
});
