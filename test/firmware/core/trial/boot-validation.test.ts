import { expect } from "chai";
import type { Event } from "../../../../firmware/core/event.js";
import { initialTrial, type TrialState, trialStep } from "../../../../firmware/core/trial/boot-validation.js";
import { BOOTED, IMAGE, stamped } from "../events.js";
import { carriedOut } from "../saves.js";

const ON_TRIAL = { ...BOOTED, image: { ...IMAGE, slot: "ota_0", slotState: "pending_verify" as const } };
const ONLINE = { type: "online", address: "192.168.1.20", rssi: -50 } as const;
const STABLE = { type: "timerFired", timer: "trial" } as const;
const DEADLINE = { type: "timerFired", timer: "trialDeadline" } as const;

function run(events: readonly Event[]): { state: TrialState; types: string[]; last: readonly unknown[] } {
  let state = initialTrial;
  const types: string[] = [];
  let last: readonly unknown[] = [];
  for (const event of events) {
    const [next, asked] = trialStep(state, stamped(event));
    const effects = carriedOut(asked);
    state = next;
    last = effects;
    types.push(...effects.map((effect) => (effect.type === "raise" ? effect.event.type : effect.type)));
  }
  return { state, types, last };
}

describe("boot validation", () => {
  it("does nothing for an image that is not on trial", () => {
    const { state, types } = run([BOOTED, ONLINE, { type: "serverReached" }, STABLE, DEADLINE]);
    expect(types).deep.equal([]);
    expect(state.phase).equal("none");
  });

  it("restarts once to put an image on trial whose trial a power cut prevented", () => {
    const record = { firmwareId: 3, version: "1.1.0", build: 0, slot: "ota_0", powerLosses: 0 };
    const stored = { install: JSON.stringify({ ...record, imageSha256: IMAGE.imageSha256 }) };
    const torn = { ...BOOTED, image: { ...IMAGE, slot: "ota_0", slotState: "valid" as const }, stored };
    expect(run([torn]).types.slice(0, 3)).deep.equal(["log", "store", "beginTrial"]);
    const unsaved = run([torn, { type: "saveFailed", purpose: "trial", message: "full" }]);
    expect(unsaved.last, "never without a stored count").deep.equal([
      { type: "log", level: "error", message: "it could not be put on trial: full" },
    ]);
    const again = run([{ ...torn, resetReason: "software", restartNote: "update" }]);
    expect(again.types).not.include("beginTrial");
    expect(again.state.phase).equal("trial");
    const passed = { install: JSON.stringify({ ...JSON.parse(stored.install), passed: true }) };
    expect(run([{ ...torn, stored: passed }]).types).deep.equal([]);
  });

  it("validates when the network is up, the server reached and the trial time over, in any order", () => {
    const reached = { type: "serverReached" } as const;
    expect(run([ON_TRIAL, ONLINE, reached, STABLE]).types).include("markValid");
    expect(run([ON_TRIAL, ONLINE, STABLE, reached]).types).include("markValid");
    expect(run([ON_TRIAL, ONLINE, STABLE]).types).not.include("markValid");
    expect(run([ON_TRIAL, ONLINE, reached]).types).not.include("markValid");
  });

  it("restarts the trial time when the network is lost", () => {
    const { types } = run([ON_TRIAL, ONLINE, { type: "serverReached" }, { type: "offline" }, STABLE]);
    expect(types).include("clearTimer").and.not.include("markValid");
    expect(
      run([ON_TRIAL, ONLINE, { type: "serverReached" }, { type: "offline" }, ONLINE, STABLE]).types,
    ).include("markValid");
  });

  it("passes only when the chip has marked the image valid", () => {
    const before = [ON_TRIAL, ONLINE, { type: "serverReached" } as const, STABLE];
    expect(run([...before, { type: "markedValid" }]).types).include("trialPassed");
    expect(run([...before, { type: "markValidFailed", message: "error -1" }]).types).include.members([
      "trialFailed",
      "rollBack",
    ]);
  });

  it("rolls back an image whose app has failed, and only during the trial", () => {
    const failed = { type: "appFailed", message: "Error: invalid pin" } as const;
    const { last, types } = run([ON_TRIAL, failed]);
    expect(last[0]).include({ type: "store", value: "the app failed: Error: invalid pin" });
    expect(types.at(-1)).equal("rollBack");
    expect(run([BOOTED, failed]).types).deep.equal([]);
  });

  it("rolls back at the deadline and stores the reason before it restarts", () => {
    const offline = run([ON_TRIAL, DEADLINE]);
    expect(offline.last[0]).deep.equal({
      type: "store",
      key: "trial.reason",
      value: "the network was not joined within 300 s",
    });
    expect(offline.types.at(-1)).equal("rollBack");
    expect(run([ON_TRIAL, ONLINE, DEADLINE]).last[0]).include({
      value: "the server was not reached within 300 s",
    });
    expect(run([ON_TRIAL, ONLINE, { type: "serverReached" }, DEADLINE]).last[0]).include({
      value: "the network was not stable within 300 s",
    });
  });

  it("lasts as long as the build says", () => {
    const build = { ...BOOTED.build, trialSeconds: 7, trialDeadlineSeconds: 70 };
    const { last } = run([{ ...ON_TRIAL, build }]);
    expect(last[0]).deep.equal({ type: "setTimer", timer: "trialDeadline", delayMs: 70_000 });
    expect(run([{ ...ON_TRIAL, build }, ONLINE]).last).deep.equal([
      { type: "setTimer", timer: "trial", delayMs: 7_000 },
    ]);
  });

  it("needs the network for a pushed image, but no server", () => {
    const record = { firmwareId: 0, version: "1.1.0", build: 0, slot: "ota_0", powerLosses: 0 };
    const pushed = (imageSha256: string) => ({
      ...ON_TRIAL,
      stored: { install: JSON.stringify({ ...record, imageSha256 }) },
    });
    expect(run([pushed(IMAGE.imageSha256), ONLINE, STABLE]).types).include("markValid");
    expect(run([pushed(IMAGE.imageSha256), STABLE]).types).not.include("markValid");
    expect(run([pushed("b".repeat(64)), ONLINE, STABLE]).types, "another image").not.include("markValid");
    const ofServer = {
      ...ON_TRIAL,
      stored: { install: JSON.stringify({ ...record, from: "server", imageSha256: IMAGE.imageSha256 }) },
    };
    expect(run([ofServer, ONLINE, STABLE]).types, "number 0 of a server").not.include("markValid");
  });

  it("arms an untried slot again three times at most", () => {
    const record = { firmwareId: 3, version: "1.1.0", build: 0, slot: "ota_0", powerLosses: 0 };
    const torn = (rearmings: number) => ({
      ...BOOTED,
      image: { ...IMAGE, slot: "ota_0", slotState: "valid" as const },
      stored: { install: JSON.stringify({ ...record, imageSha256: IMAGE.imageSha256, rearmings }) },
    });
    expect(run([torn(2)]).types).include("beginTrial");
    expect(run([torn(3)]).types).not.include("beginTrial");
  });

  it("stores a reason of at most 300 characters, however long an app's error is", () => {
    const { last } = run([ON_TRIAL, { type: "appFailed", message: "x".repeat(5000) }]);
    const value = `the app failed: ${"x".repeat(284)}`;
    expect(last[0]).deep.equal({ type: "store", key: "trial.reason", value });
  });

  it("is over after a roll back, whatever events follow", () => {
    const rolledBack = [ON_TRIAL, DEADLINE];
    const after = run([...rolledBack, ONLINE, { type: "serverReached" }, STABLE, DEADLINE]);
    expect(after.types).deep.equal(run(rolledBack).types);
  });
});
