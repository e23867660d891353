import { expect } from "chai";
import { sentence } from "../../../server/dashboard/client/data.js";
import { changesOf } from "../../../server/dashboard/client/parts/changes.js";
import { pageOf, readOffset } from "../../../server/dashboard/client/parts/pages-of-list.js";
import { outlineLayers, stackVersions } from "../../../server/dashboard/client/parts/version-stack.js";
import { ordersFor } from "../../../server/dashboard/client/rollouts/orders.js";
import { piecesOf } from "../../../server/dashboard/client/rollouts/stage-bar.js";
import { matchPage, PAGE_PATHS } from "../../../server/dashboard/paths.js";
import { command } from "../../../server/rollout/lifecycle.js";
import { ROLLOUT_STATES } from "../../../server/shared/rollout.js";
import { sampleRollout as rollout } from "../rollout/samples.js";

describe("the paths of the pages", () => {
  it("lead to their page, a fixed path before one with a parameter", () => {
    for (const path of PAGE_PATHS) expect(matchPage(path.replace(/:\w+/g, "7"))?.page).equal(path);
    expect(matchPage("/ota-management/rollouts/new")?.page).equal("/ota-management/rollouts/new");
    expect(matchPage("/devices/base%3A1/")).deep.equal({ page: "/devices/:id", params: { id: "base:1" } });
    expect(matchPage("/devices/%E0%A4%A")?.params).deep.equal({ id: "%E0%A4%A" });
    expect(matchPage("/devices/a/b")).equal(undefined);
  });
});

describe("a message of the server", () => {
  it("is shown as a sentence, in which names keep their letters", () => {
    for (const [message, shown] of [
      ["the password contains the user's name", "The password contains the user's name."],
      ["there is no device base-1: look again!", "There is no device base-1: look again!"],
      ["device types: at most 8", "Device types: at most 8."],
      ["ada is the last administrator", "ada is the last administrator."],
      ["base-3eece8 is ordered to restart already", "base-3eece8 is ordered to restart already."],
      ["min_current_version is 1.0.0", "min_current_version is 1.0.0."],
      ["deviceless", "deviceless."],
      ["", "."],
    ] as const)
      expect(sentence({ message })).equal(shown);
  });
});

describe("pages of a long list", () => {
  it("say where they begin and end, and link to their neighbours", () => {
    const at = (offset: number, total: number) => pageOf({ offset, total, limit: 50 });
    expect(at(0, 0)).deep.equal({ first: 0, last: 0, previous: undefined, next: undefined, end: 0 });
    expect(at(0, 50)).deep.equal({ first: 1, last: 50, previous: undefined, next: undefined, end: 0 });
    expect(at(50, 101)).deep.equal({ first: 51, last: 100, previous: 0, next: 100, end: 100 });
    expect(at(99_950, 100_000)).deep.include({ last: 100_000, next: undefined, end: 99_950 });
  });

  it("link back from past the end of a list that became shorter", () => {
    expect(pageOf({ offset: 500, total: 60, limit: 50 })).deep.include({ previous: 50, next: undefined });
  });

  it("begin at the start if the address is invalid", () => {
    for (const text of [null, "", "-5", "1.5", "x", "NaN"]) expect(readOffset(text)).equal(0);
    expect(readOffset("150")).equal(150);
  });
});

describe("the bar of a stage", () => {
  const NOTHING = { given: 0, updating: 0, validated: 0, soaked: 0, failed: 0, rolled_back: 0, silent: 0 };

  it("shows each device once, and never more than there are", () => {
    const tally = { given: 10, updating: 6, validated: 4, soaked: 1, failed: 1, rolled_back: 1, silent: 1 };
    const pieces = piecesOf(tally, 20);
    expect(pieces.map(({ kind, count }) => [kind, count])).deep.equal([
      ["soaked", 1],
      ["validated", 3],
      ["updating", 3],
      ["silent", 1],
      ["failed", 2],
    ]);
    expect(pieces.reduce((sum, { share }) => sum + share, 0)).closeTo(0.5, 1e-9);
    expect(pieces[2]?.from).closeTo(0.2, 1e-9);
  });

  it("is empty at first, and full when more devices got it than were counted", () => {
    expect(piecesOf(NOTHING, 12)).deep.equal([]);
    expect(piecesOf({ ...NOTHING, given: 5, validated: 5, soaked: 5 }, 3)).deep.equal([
      { kind: "soaked", count: 5, from: 0, share: 1 },
    ]);
  });
});

describe("the buttons of a rollout", () => {
  it("are exactly the commands that the server accepts in its state", () => {
    const orders = ["start", "approve", "pause", "resume", "promote", "cancel"] as const;
    for (const state of ROLLOUT_STATES) {
      const one = rollout({ state, createdBy: "ada", stage: 0 });
      const shown = ordersFor(
        { ...one, created_by: "ada", edited_by: null, needs_approval: false, approved_by: null },
        "ben",
      ).filter((order) => order !== "rollback");
      const accepted = orders.filter((kind) => command(one, { kind, reason: "" } as never, "ben", 1).ok);
      // A draft may be approved before it starts, and a cancelled one cancelled again, but there is no need for buttons.
      const asked = accepted.filter(
        (kind) =>
          !(state === "draft" && kind === "approve") &&
          !(kind === "cancel" && /cancelled|finished/.test(state)),
      );
      expect(shown, state).deep.equal(asked);
    }
  });

  it("do not let users approve what they created or changed", () => {
    const own = {
      edited_by: null,
      created_by: "ada",
      needs_approval: true,
      approved_by: null,
      stage: 0,
      stages: [1],
    };
    const waiting = { ...own, edited_by: "ben", state: "awaiting_approval" as const };
    for (const author of ["ada", "ben"]) expect(ordersFor(waiting, author)).deep.equal(["cancel"]);
    expect(ordersFor(waiting, "bob")).deep.equal(["approve", "cancel"]);
  });
});

describe("the chart of versions", () => {
  const sample = (hour: number, counts: Record<string, number>) => ({
    time: new Date(hour * 3_600_000).toISOString(),
    versions: Object.entries(counts).map(([version, device_count]) => ({
      device_type: "base",
      version,
      device_count,
    })),
  });

  it("stacks the versions, the most common now first", () => {
    const stack = stackVersions([sample(0, { "1.0.0": 10 }), sample(1, { "1.0.0": 3, "1.1.0": 7 })]);
    expect(stack.layers).deep.equal([
      { name: "1.1.0", counts: [0, 7] },
      { name: "1.0.0", counts: [10, 3] },
    ]);
    expect(stack.maxTotal).equal(10);
    const [lower, upper] = outlineLayers(stack, 100, 50);
    expect(lower).deep.equal([
      [0, 50],
      [100, 50],
      [100, 15],
      [0, 50],
    ]);
    expect(upper).deep.equal([
      [0, 50],
      [100, 15],
      [100, 0],
      [0, 0],
    ]);
  });

  it("groups rare versions, and loses no device", () => {
    const counts = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`1.${index}.0`, index + 1]));
    const { layers } = stackVersions([sample(0, counts)]);
    expect(layers.length).equal(6);
    expect(layers.at(-1)).deep.equal({ name: "others", counts: [10] });
    expect(layers.reduce((sum, layer) => sum + (layer.counts[0] ?? 0), 0)).equal(45);
  });

  it("names the type if there are several", () => {
    const led = { device_type: "led", version: "1.0.0", device_count: 1 };
    const one = sample(0, { "1.0.0": 2 });
    const { layers } = stackVersions([{ ...one, versions: [...one.versions, led] }]);
    expect(layers.map(({ name }) => name)).deep.equal(["base 1.0.0", "led 1.0.0"]);
  });
});

describe("what differs in the audit log", () => {
  it("is shown field by field, without equal fields", () => {
    const before = { name: "ada", role: "viewer", tags: ["a"], gone: 1 };
    const after = { name: "ada", role: "admin", tags: ["a"], new: true };
    expect(changesOf(before, after)).deep.equal([
      { name: "role", before: "viewer", after: "admin" },
      { name: "gone", before: "1", after: undefined },
      { name: "new", before: undefined, after: "true" },
    ]);
    expect(changesOf(null, undefined)).deep.equal([]);
  });
});
