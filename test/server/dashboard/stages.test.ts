import { expect } from "chai";
import type { UpdateView } from "../../../server/api/release-views.js";
import { change, initialModel, type Snapshot } from "../../../server/dashboard/client/model.js";
import { stagesOf } from "../../../server/dashboard/client/stages.js";
import type { EventView } from "../../../server/events/event-view.js";

const update = (changes: Partial<UpdateView> = {}): UpdateView => ({
  id: 1,
  device_id: "d",
  firmware_id: 1,
  status: "pending",
  step: null,
  from_version: "1.0.0",
  from_build: 0,
  bytes_downloaded: 0,
  outcome: null,
  error_code: null,
  error_message: null,
  created_at: "2026-11-21T12:00:00.000Z",
  updated_at: "2026-11-21T12:00:00.000Z",
  finished_at: null,
  ...changes,
});
const event = (id: number, kind: string, step?: string): EventView => ({
  id,
  time: `2026-11-21T12:00:0${id}.000Z`,
  kind,
  device_id: "d",
  firmware_id: 1,
  update_id: 1,
  message: "",
  detail: step === undefined ? null : { step },
});
const states = (one: UpdateView, events: readonly EventView[] = []) =>
  stagesOf(one, events)
    .map(({ state }) => state)
    .join(" ");

describe("the stages of an attempt", () => {
  it("move with its steps", () => {
    expect(states(update())).to.equal("now ahead ahead ahead ahead ahead ahead");
    expect(states(update({ status: "downloading", step: "downloading" }))).to.equal(
      "done done now ahead ahead ahead ahead",
    );
    expect(states(update({ status: "installing", step: "trial" }))).to.equal(
      "done done done done done now ahead",
    );
    expect(states(update({ status: "success", step: "validated" }))).to.equal(
      "done done done done done done done",
    );
  });

  it("do not go on while the image is staged", () => {
    expect(states(update({ status: "installing", step: "staged" }))).to.equal(
      "done done done now ahead ahead ahead",
    );
  });

  it("show the stage at which it failed", () => {
    const log = [event(1, "update.downloading", "verified"), event(2, "update.downloading", "downloading")];
    const failed = update({ status: "failed", step: "failed", error_code: "CHUNK_MISMATCH" });
    expect(states(failed, log)).to.equal("done done failed ahead ahead ahead ahead");
    const rolledBack = update({ status: "failed", step: "armed", error_code: "ROLLED_BACK" });
    expect(states(rolledBack, log)).to.equal("done done done done done failed ahead");
  });

  it("have the time of their first log line, in any order and of this attempt only", () => {
    const log = [
      event(3, "update.downloading", "downloading"),
      { ...event(1, "update.downloading", "downloading"), update_id: 2 },
      event(2, "update.downloading", "verified"),
    ];
    const times = stagesOf(update({ status: "downloading", step: "downloading" }), log).map(({ time }) =>
      time?.slice(17, 19),
    );
    expect(times.slice(0, 4)).to.deep.equal(["00", "02", "03", undefined]);
  });
});

describe("the dashboard's model", () => {
  const snapshot: Snapshot = {
    devices: [],
    updates: [],
    firmware: [],
    events: [event(1, "x")],
    onlineSeconds: 60,
    clockOffsetMs: 0,
  };

  it("applies an event once, even if the snapshot already had it", () => {
    const loaded = change(initialModel, { type: "loaded", snapshot });
    const again = change(loaded, { type: "event", event: event(1, "x") });
    expect(again.events).to.have.length(1);
    expect(change(again, { type: "event", event: event(2, "y") }).events.map(({ id }) => id)).to.deep.equal([
      2, 1,
    ]);
  });

  it("replaces a record by its newer state and keeps the rest when the stream breaks", () => {
    const one = change(initialModel, { type: "update", update: update() });
    const two = change(one, { type: "update", update: update({ status: "success" }) });
    expect([...two.updates.values()].map(({ status }) => status)).to.deep.equal(["success"]);
    expect(change(two, { type: "broken" })).to.deep.include({ connection: "broken", updates: two.updates });
  });
});
