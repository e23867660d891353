// What a device reads of the answer to a check, and what it leaves unread.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, Raise } from "../../../../firmware/core/event.js";
import { initialUpdate, type UpdateState, updateStep } from "../../../../firmware/core/update/update.js";
import { MAX_CHECK_RESPONSE_BYTES } from "../../../../firmware/core/wire.js";
import { stamped } from "../events.js";

describe("the answer to a check", () => {
  const answered = (events: readonly Event[]) => {
    let state = { ...initialUpdate, phase: "checking", attempt: 2 } as UpdateState;
    let asked: readonly (Effect | Raise)[] = [];
    for (const event of events) [state, asked] = updateStep(state, stamped(event));
    const log = asked.find((effect) => effect.type === "log");
    return { phase: state.phase, log: log?.type === "log" ? log.message : "", asked };
  };
  const started = (headers: Record<string, string>): Event => ({
    type: "responseStarted",
    attempt: 2,
    status: 200,
    headers,
  });

  it("is collected as one text of the length that it tells", () => {
    expect(answered([started({ "content-length": "50" })]).asked).deep.equal([
      { type: "collectResponse", attempt: 2, sizeBytes: 50, as: "text" },
    ]);
  });

  it("is not read if it is too long or does not say how long it is", () => {
    const long = `${MAX_CHECK_RESPONSE_BYTES + 1}`;
    expect(answered([started({ "content-length": long })]))
      .property("log")
      .match(/at most \d+ are read/);
    for (const headers of [{}, { "content-length": "" }, { "content-length": "1e3" }] as const)
      expect(answered([started(headers)])).include({
        phase: "idle",
        log: "update check failed: the answer does not say how long it is",
      });
  });

  it("has failed when it ends early", () => {
    const ended: Event = { type: "responseEnded", attempt: 2 };
    expect(answered([started({ "content-length": "50" }), ended])).include({
      phase: "idle",
      log: "update check failed: the answer ended early",
    });
  });
});
