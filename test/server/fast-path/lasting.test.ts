// Which decisions hold until something changes: only those may be answered again by the fast path.

import { expect } from "chai";
import { chooseRelease } from "../../../server/rollout/choose-release.js";
import { type Facts, NO_FACTS } from "../../../server/rollout/decision.js";
import { isLasting } from "../../../server/rollout/lasting.js";
import type { DeviceScene } from "../../../server/rollout/scene.js";
import type { RolloutState } from "../../../server/shared/rollout.js";
import type { FailureCount, Member } from "../../../server/store/store.js";
import { HOUR, MINUTE, NOW, sampleRelease, sampleRollout, sampleSubject } from "../rollout/samples.js";

type Verdict = ReturnType<typeof chooseRelease>["verdicts"][number]["verdict"];
/** The verdicts with which a check ends without an offer. */
type Refused = Exclude<
  Verdict,
  | "OFFERED"
  | "OFFERED_AS_INTERMEDIATE"
  | "INTERMEDIATE_OFFERED"
  | "OTHER_OFFERED"
  | "NOT_SIGNED"
  | "DEVICE_PENDING"
  | "DEVICE_BLOCKED"
>;

/** Written out, not read from the code: `false` where time alone, or another device, may turn it into an offer. */
const IS_LASTING: Readonly<Record<Refused, boolean>> = {
  INACTIVE: true,
  WRONG_TYPE: true,
  WRONG_CHIP: true,
  WRONG_HARDWARE: true,
  EXPIRED: true,
  MANIFEST_TOO_LONG: true,
  NOT_NEWER: true,
  DEVICE_REFUSES: true,
  TRIAL_RUNNING: false,
  ROLLED_BACK: true,
  WAITS_AFTER_ROLL_BACK: false,
  FAILED_TOO_OFTEN: false,
  NOT_STABLE: true,
  PINNED: true,
  ROLLOUT_DRAFT: true,
  ROLLOUT_AWAITING_APPROVAL: true,
  ROLLOUT_SCHEDULED: false,
  ROLLOUT_PAUSED: true,
  ROLLOUT_CANCELLED: true,
  NOT_TARGETED: true,
  IN_NO_STAGE: true,
  STAGE_AHEAD: true,
  CURRENT_TOO_OLD: true,
  DONE_ALREADY: true,
  HELD: true,
  WINDOW_CLOSED: false,
  LIMIT_REACHED: false,
};

const sampleScene = (changes: Partial<DeviceScene> = {}): DeviceScene =>
  ({
    device: sampleSubject(),
    releases: [],
    rollouts: [],
    facts: NO_FACTS,
    now: NOW,
    members: [],
    ...changes,
  }) as DeviceScene;

const refused = (...verdicts: readonly Verdict[]) => ({
  offer: undefined,
  verdicts: verdicts.map((verdict, at) => ({ firmwareId: at + 1, rolloutId: null, verdict })),
});

const facts = (changes: Partial<Facts>): Facts => ({ ...NO_FACTS, ...changes });

const sampleFailure = (changes: Partial<FailureCount> = {}): FailureCount => ({
  firmwareId: 2,
  failedCount: 1,
  rolledBackCount: 0,
  lastFailedAt: NOW - HOUR,
  lastRolledBackAt: null,
  ...changes,
});

/** The decision about a real situation, and its first verdict. */
function decideIn(scene: DeviceScene) {
  const decision = chooseRelease(scene);
  return { verdict: decision.verdicts[0]?.verdict, isLasting: isLasting(scene, decision) };
}

describe("a decision to offer nothing", () => {
  it("lasts where there is nothing to decide", () => {
    expect(isLasting(sampleScene(), refused())).to.equal(true);
  });

  for (const [verdict, expected] of Object.entries(IS_LASTING))
    it(`${expected ? "lasts" : "does not last"} with ${verdict}`, () => {
      expect(isLasting(sampleScene(), refused(verdict as Verdict))).to.equal(expected);
      expect(isLasting(sampleScene(), refused("NOT_NEWER", verdict as Verdict)), "second").to.equal(expected);
    });

  it("does not last if something is offered", () => {
    const [release] = [sampleRelease("1.1.0")];
    const scene = sampleScene({ releases: [release] as never });
    expect(decideIn(scene)).to.deep.equal({ verdict: "OFFERED", isLasting: false });
  });

  it("does not last while the running image is on trial", () => {
    for (const slotState of ["pending_verify", "new"] as const)
      expect(isLasting(sampleScene({ device: sampleSubject({ slotState }) }), refused())).to.equal(false);
    expect(isLasting(sampleScene({ device: sampleSubject({ slotState: "valid" }) }), refused())).to.equal(
      true,
    );
  });

  it("does not last at the limit of a finished rollout: another device's lease may end", () => {
    const scene = sampleScene({
      releases: [sampleRelease("1.1.0")] as never,
      rollouts: [sampleRollout({ state: "finished", maxConcurrentCount: 1 })],
      facts: facts({ leaseCounts: new Map([[1, 1]]) }),
    });
    expect(decideIn(scene)).to.deep.equal({ verdict: "LIMIT_REACHED", isLasting: false });
  });

  it("does not last outside the window of a finished rollout", () => {
    const closed = { weekdays: [1, 2, 3, 4, 5, 6, 7], from: "01:00", to: "02:00" };
    const scene = sampleScene({
      releases: [sampleRelease("1.1.0")] as never,
      rollouts: [sampleRollout({ state: "finished", windows: { timeZone: "UTC", spans: [closed] } })],
    });
    expect(decideIn(scene)).to.deep.equal({ verdict: "WINDOW_CLOSED", isLasting: false });
  });

  it("lasts beside rollouts, unless one is running or scheduled", () => {
    const expected: Readonly<Record<RolloutState, boolean>> = {
      draft: true,
      awaiting_approval: true,
      scheduled: false,
      running: false,
      paused: true,
      cancelled: true,
      finished: true,
    };
    for (const [state, lasts] of Object.entries(expected)) {
      const rollouts = [
        sampleRollout({ state: "finished" }),
        sampleRollout({ id: 2, state: state as RolloutState }),
      ];
      expect(isLasting(sampleScene({ rollouts }), refused("NOT_TARGETED")), state).to.equal(lasts);
    }
  });

  it("does not last while a release waits for its next try, whatever its verdict is", () => {
    const lastsWith = (failure: Partial<FailureCount>) =>
      isLasting(sampleScene({ facts: facts({ history: [sampleFailure(failure)] }) }), refused("NOT_STABLE"));
    expect(lastsWith({ lastRolledBackAt: NOW - 10 * MINUTE + 1 }), "rolled back").to.equal(false);
    expect(lastsWith({ lastRolledBackAt: NOW - 10 * MINUTE }), "the wait is over").to.equal(true);
    expect(lastsWith({ failedCount: 5, lastFailedAt: NOW - 10 * MINUTE + 1 }), "failed often").to.equal(
      false,
    );
    expect(lastsWith({ failedCount: 5, lastFailedAt: NOW - 10 * MINUTE }), "the wait is over").to.equal(true);
    expect(lastsWith({ failedCount: 4, lastFailedAt: NOW - 1 }), "failed seldom").to.equal(true);
    expect(lastsWith({ failedCount: 6, lastFailedAt: NOW - 15 * MINUTE }), "waits twice as long").to.equal(
      false,
    );
  });

  it("considers every release that failed", () => {
    const history = [
      sampleFailure(),
      sampleFailure({ firmwareId: 3, lastRolledBackAt: NOW - MINUTE }),
      sampleFailure({ firmwareId: 4 }),
    ];
    expect(isLasting(sampleScene({ facts: facts({ history }) }), refused())).to.equal(false);
  });

  it("does not last while the device has a lease, over or not: the next check ends it", () => {
    const member = (leaseUntil: number | null) => [{ leaseUntil } as Member];
    expect(isLasting(sampleScene({ members: member(NOW + HOUR) }), refused())).to.equal(false);
    expect(isLasting(sampleScene({ members: member(NOW - HOUR) }), refused())).to.equal(false);
    expect(isLasting(sampleScene({ members: member(null) }), refused())).to.equal(true);
  });
});
