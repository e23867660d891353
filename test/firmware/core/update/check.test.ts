// Which answers to a check a device reads, and which it does not.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, Raise } from "../../../../firmware/core/event.js";
import { NO_TOKENS } from "../../../../firmware/core/server/server-token.js";
import { initialUpdate, type UpdateState, updateStep } from "../../../../firmware/core/update/update.js";
import { MAX_CHECK_RESPONSE_BYTES } from "../../../../firmware/core/wire.js";
import { answerEvents, BOOTED, IMAGE, stamped } from "../events.js";

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

  it("is collected as one text of the announced length", () => {
    expect(answered([started({ "content-length": "50" })]).asked).deep.equal([
      { type: "collectResponse", attempt: 2, maxBytes: 50, as: "text" },
    ]);
  });

  it("without a length is collected as far as any answer is read", () => {
    for (const headers of [{}, { "transfer-encoding": "chunked" }] as const)
      expect(answered([started(headers)]).asked).deep.equal([
        { type: "collectResponse", attempt: 2, maxBytes: MAX_CHECK_RESPONSE_BYTES, as: "text" },
      ]);
  });

  it("is not read if it is too long", () => {
    const long = `${MAX_CHECK_RESPONSE_BYTES + 1}`;
    expect(answered([started({ "content-length": long })]))
      .property("log")
      .match(/at most \d+ are read/);
  });

  it("has failed when it ends early", () => {
    const ended: Event = { type: "responseEnded", attempt: 2 };
    expect(answered([started({ "content-length": "50" }), ended])).include({
      phase: "idle",
      log: "update check failed: the answer ended early",
    });
  });
});

/** A device that is online and has checked, until its answer. */
function checking(booted: Partial<typeof BOOTED> = {}, changes: Partial<UpdateState> = {}) {
  const [state] = updateStep(initialUpdate, stamped({ ...BOOTED, ...booted }));
  const known = { server: "http://updates.test", online: true, address: "192.168.1.20", ...changes };
  const [next, effects] = updateStep(
    { ...state, ...known } as UpdateState,
    stamped({ type: "timerFired", timer: "check" }),
  );
  const request = effects.find((effect) => effect.type === "startRequest");
  return { state: next, effects, request, body: JSON.parse(request?.request.body ?? "{}") };
}

const answeredWith = (state: UpdateState, status: number) => {
  const [started] = answerEvents(state.attempt, {}, status);
  return updateStep(state, stamped(started!));
};

describe("a check", () => {
  it("says what the device is and what runs", () => {
    const { request, body, effects } = checking();
    expect(request?.request).include({ method: "POST", url: "http://updates.test/api/ota/check" });
    expect(body).deep.equal({
      device_id: "base-0000a1",
      device_type: "base",
      current_version: "1.0.0",
      current_build: 0,
      hardware: "esp32",
      chip: "esp32",
      image_sha256: IMAGE.imageSha256,
      slot: "factory",
      slot_state: "factory",
      boot_count: 1,
      reset_reason: "power-on",
      free_heap: 100_000,
      address: "192.168.1.20",
      check_seconds: 120,
      keeps_token: true,
    });
    expect(effects.at(-1)).deep.equal({ type: "setTimer", timer: "transfer", delayMs: 30_000 });
  });

  it("carries signal strength, readings and results of orders where there are any", () => {
    const { body } = checking(
      {},
      { rssi: -61, readings: { temperature: 21 } as never, orderResults: [{ id: 4, result: "done" }] },
    );
    expect(body).include({ rssi: -61, temperature: 21 });
    expect(body.order_results).deep.equal([{ id: 4, result: "done" }]);
  });

  it("follows ten seconds after an order was carried out, unless an update is in progress", () => {
    const done = { type: "orderFinished", result: { id: 4, result: "done" } } as const;
    const [idle] = updateStep(initialUpdate, stamped(BOOTED));
    expect(updateStep(idle, stamped(done))[1]).deep.equal([
      { type: "setTimer", timer: "check", delayMs: 10_000 },
    ]);
    const { state } = checking();
    expect(updateStep(state, stamped(done))[1]).deep.equal([]);
  });

  it("that failed is followed by another after the usual time, more or less a tenth", () => {
    const { state } = checking();
    for (const [random, delayMs] of [
      [0, 108_000],
      [0.5, 120_000],
      [1, 132_000],
    ] as const) {
      const failed = { type: "requestFailed", attempt: state.attempt, message: "no" } as const;
      const [next, effects] = updateStep(state, stamped(failed, random));
      expect(next.phase).equal("idle");
      expect(effects.at(-1)).deep.equal({ type: "setTimer", timer: "check", delayMs });
    }
  });

  it("drops results of orders that a server rejects, and keeps them when it is only busy", () => {
    const orderResults = [{ id: 4, result: "done" }] as const;
    const { state } = checking({}, { orderResults });
    expect(answeredWith(state, 400)[0].orderResults).deep.equal([]);
    for (const status of [429, 500, 503])
      expect(answeredWith(state, status)[0].orderResults, `${status}`).deep.equal(orderResults);
  });

  it("takes a token from the server, but not on trial: the image before might not support it", () => {
    const tokenAfter = (slotState: typeof IMAGE.slotState) => {
      const { state, body } = checking({ image: { ...IMAGE, slotState } });
      const answer = { update_available: false, time: 1, device_token: "skd_1" };
      const [next] = answerEvents(state.attempt, answer).reduce(
        ([before], event) => updateStep(before, stamped(event)),
        [state, []] as ReturnType<typeof updateStep>,
      );
      return [body.keeps_token, next.serverTokens.other?.token];
    };
    expect(tokenAfter("valid")).deep.equal([true, "skd_1"]);
    expect(tokenAfter("pending_verify")).deep.equal([undefined, undefined]);
  });

  it("that is refused says what to do about the token", () => {
    const log = (changes: Partial<UpdateState>) =>
      answeredWith(checking({}, changes).state, 401)[1].flatMap((effect) =>
        effect.type === "log" ? [effect.message] : [],
      )[0];
    expect(log({})).include("server answered 401: it requires a token that this device does not have");
    const serverTokens = { ...NO_TOKENS, proved: { server: "http://updates.test", token: "skd_1" } };
    expect(log({ serverTokens })).match(/does not take this device's token.*forget-token base-0000a1/);
  });
});
