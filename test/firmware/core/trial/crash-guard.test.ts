import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, Raise } from "../../../../firmware/core/event.js";
import {
  type CrashGuardState,
  crashGuardStep,
  initialCrashGuard,
} from "../../../../firmware/core/trial/crash-guard.js";
import { BOOTED, stamped } from "../events.js";
import { carriedOut } from "../saves.js";

/** A device that boots repeatedly; what it stores persists. */
class Boots {
  state: CrashGuardState = initialCrashGuard;
  stored: Record<string, string> = {};
  effects: readonly (Effect | Raise)[] = [];

  on(event: Event): this {
    const [state, asked] = crashGuardStep(this.state, stamped(event));
    this.state = state;
    this.effects = carriedOut(asked);
    for (const effect of this.effects) {
      if (effect.type === "store") this.stored[effect.key] = effect.value;
      if (effect.type === "forget") delete this.stored[effect.key];
    }
    return this;
  }
  boot(resetReason: string, restartNote?: string): this {
    const meant = restartNote === undefined ? {} : { restartNote };
    return this.on({ ...BOOTED, resetReason, ...meant, stored: { ...this.stored } });
  }
  get types(): string[] {
    return this.effects.map((effect) => (effect.type === "raise" ? effect.event.type : effect.type));
  }
}

const HEALTHY = { type: "timerFired", timer: "healthy" } as const;

describe("the crash guard of a device", () => {
  it("writes nothing when the power comes on, and starts the app", () => {
    expect(new Boots().boot("power-on").types).deep.equal(["setTimer", "startLight", "startApp"]);
  });

  it("starts in safe mode after five unhealthy boots, and does not start the app", () => {
    const boots = new Boots();
    for (const reason of ["panic", "software", "task-watchdog", "interrupt-watchdog", "panic"])
      expect(boots.boot(reason).types, reason).include("startApp");
    expect(boots.boot("panic").types).deep.equal([
      "setTimer",
      "log",
      "safeModeEntered",
      "store",
      "startLight",
    ]);
    expect(boots.state.safeMode).equal(true);
  });

  it("uses its light in safe mode, unless two boots there were unhealthy too", () => {
    const boots = new Boots();
    for (let i = 0; i < 5; i++) boots.boot("panic");
    expect(boots.boot("panic").boot("panic").types).include("startLight");
    expect(boots.boot("panic").types).deep.equal(["setTimer", "log", "safeModeEntered", "store"]);
  });

  it("counts before the app starts, because it may crash at once", () => {
    expect(new Boots().boot("panic").types).deep.equal(["setTimer", "store", "startLight", "startApp"]);
  });

  it("starts in safe mode where it cannot count: an app that crashes would do so for ever", () => {
    const boots = new Boots()
      .boot("panic")
      .on({ type: "saveFailed", purpose: "crash-count", message: "full" });
    expect(boots.types).deep.equal(["log", "safeModeEntered"]);
    expect(boots.state.safeMode).equal(true);
    const other = new Boots().boot("panic").on({ type: "saveFailed", purpose: "settings", message: "full" });
    expect(other.types).deep.equal([]);
    expect(other.state.safeMode).equal(false);
  });

  it("does not count power losses", () => {
    const boots = new Boots().boot("panic");
    for (let i = 0; i < 20; i++) boots.boot(i % 2 ? "brownout" : "power-on");
    expect(boots.stored).deep.equal({ unhealthy: "1" });
    expect(boots.types).include("startApp");
  });

  it("does not count intended restarts", () => {
    const boots = new Boots().boot("software");
    for (let i = 0; i < 20; i++) boots.boot("software", "owner");
    expect(boots.stored).deep.equal({ unhealthy: "1" });
    expect(boots.boot("panic", "owner").stored, "the note was not for this").deep.equal({ unhealthy: "2" });
  });

  it("does not count waking from deep sleep, but counts crashes after it", () => {
    const boots = new Boots();
    for (let i = 0; i < 20; i++) boots.boot("deep-sleep");
    expect(boots.stored).deep.equal({});
    expect(boots.boot("deep-sleep").boot("panic").stored).deep.equal({ unhealthy: "1" });
  });

  for (const [what, event] of [
    ["60 seconds", HEALTHY],
    ["the server was reached", { type: "serverReached" }],
  ] as const)
    it(`resets its count after ${what}`, () => {
      const boots = new Boots().boot("panic").boot("panic").on(event);
      expect(boots.stored).deep.equal({});
      expect(boots.on(HEALTHY).on({ type: "serverReached" }).effects, "once is enough").deep.equal([]);
    });

  it("tries the app again after a safe mode that went well", () => {
    const boots = new Boots();
    for (let i = 0; i < 6; i++) boots.boot("panic");
    expect(boots.state.safeMode).equal(true);
    expect(boots.on(HEALTHY).boot("software").types).include("startApp");
  });

  it("treats an unreadable count as 0", () => {
    for (const unhealthy of ["x", "-3", "1.5", "", "1e999", "1e3", "9007199254740991"]) {
      const boots = new Boots();
      boots.stored = { unhealthy };
      expect(boots.boot("power-on").types).include("startApp");
    }
  });
});
