import { expect } from "chai";
import type { FleetView } from "../../../server/api/fleet-views.js";
import type { PolicyView } from "../../../server/api/registration-views.js";
import type { TypeView, UpdateView } from "../../../server/api/release-views.js";
import { needsAttention } from "../../../server/dashboard/client/front/attention.js";
import { nextSteps } from "../../../server/dashboard/client/front/next-steps.js";
import type { RolloutView } from "../../../server/shared/rollout-view.js";

const NOW = Date.UTC(2026, 10, 21, 12);
const hoursAgo = (hours: number) => new Date(NOW - hours * 3_600_000).toISOString();
const update = (outcome: UpdateView["outcome"], hours: number) =>
  ({ outcome, finished_at: hoursAgo(hours), updated_at: hoursAgo(hours) }) as UpdateView;
const rollout = (id: number, state: RolloutView["state"], reason = "") =>
  ({ id, name: `r${id}`, state, reason }) as RolloutView;
const fleet = (counts: Partial<FleetView>) =>
  ({ online: 0, late: 0, offline: 0, total: 100, pending: 0, ...counts }) as FleetView;

describe("what needs attention on the first page", () => {
  const about = (situation: Partial<Parameters<typeof needsAttention>[0]>) =>
    needsAttention({ updates: [], now: NOW, ...situation }).map(({ name, why }) => `${name}: ${why}`);

  it("is nothing on a good day, and nothing that has not been loaded", () => {
    expect(about({})).to.deep.equal([]);
    expect(
      about({
        rollouts: [rollout(1, "running"), rollout(2, "finished"), rollout(3, "draft")],
        fleet: fleet({ online: 96, late: 4 }),
        updates: [update("validated", 1), update(null, 1), update("superseded", 1)],
      }),
    ).to.deep.equal([]);
  });

  it("is a paused rollout with its reason, and one that waits for approval", () => {
    expect(
      about({ rollouts: [rollout(4, "paused", "3 of 5 rolled back"), rollout(5, "awaiting_approval")] }),
    ).to.deep.equal(["#4 r4: paused: 3 of 5 rolled back", "#5 r5: waits for approval"]);
  });

  it("is what failed within a day, not before", () => {
    expect(
      about({ updates: [update("failed", 2), update("rolled_back", 23), update("rolled_back", 25)] }),
    ).to.deep.equal(["2 updates: failed, 1 of them rolled back in the last day"]);
    expect(about({ updates: [update("failed", 30)] })).to.deep.equal([]);
  });

  it("is every device that is offline, and late ones once they are many", () => {
    expect(about({ fleet: fleet({ online: 94, late: 5, offline: 1 }) })).to.deep.equal([
      "1 device: not heard of for several checks",
    ]);
    expect(about({ fleet: fleet({ online: 94, late: 6 }) })).to.deep.equal([
      "6 devices: missed a check or two",
    ]);
  });

  it("is a trust root that ends, a server without a freshness key, and devices that are frozen", () => {
    const root = { root_expires_at: "2026-12-24T00:00:00.000Z", root_expires_soon: true };
    expect(about({ fleet: fleet({ ...root, freshness_unnamed: true, frozen: 2 }) })).to.deep.equal([
      "Trust root: expires on 2026-12-24: its holders have to sign the next one",
      "Trust root: names freshness keys, of which this server has none: devices install nothing of it",
      "2 devices: frozen: nobody has shown them for two weeks what is new",
    ]);
  });

  it("is an unsigned type only where anyone can register, by its own policy or by the one of all others", () => {
    const types = [
      { name: "plug", kind: "legacy" },
      { name: "lamp", kind: "legacy" },
      { name: "base", kind: "signed" },
    ] as TypeView[];
    const policy = (device_type: string, registration: PolicyView["registration"]) =>
      ({ device_type, registration }) as PolicyView;
    const openTo = (others: PolicyView["registration"], own: PolicyView["registration"]) =>
      about({ types, registration: { default: policy("*", others), policies: [policy("plug", own)] } }).map(
        (text) => text.split(":")[0],
      );
    expect(openTo("open", "enrolment")).to.deep.equal(["Type lamp"]);
    expect(openTo("approval", "open")).to.deep.equal(["Type plug"]);
    expect(openTo("approval", "approval")).to.deep.equal([]);
  });

  it("is a device that waits for approval", () => {
    expect(about({ fleet: fleet({ pending: 3 }) })).to.deep.equal(["3 devices: to approve"]);
  });
});

describe("the next steps on a new server", () => {
  const steps = (progress: Partial<Parameters<typeof nextSteps>[0]>) =>
    nextSteps({
      releases: [],
      deviceCount: 0,
      rollouts: [],
      updateCount: 0,
      origin: "http://127.0.0.1:8080",
      ...progress,
    });
  const done = (progress: Partial<Parameters<typeof nextSteps>[0]>) =>
    steps(progress).map(({ isDone }) => isDone);

  const releases = [{ id: 4 }, { id: 7 }];
  const started = { id: 2, state: "running" } as const;
  const draft = { id: 3, state: "draft" } as const;

  it("are all ahead at first, and each is done by what shows it", () => {
    expect(done({})).to.deep.equal([false, false, false, false]);
    expect(done({ releases })).to.deep.equal([true, true, false, false]);
    expect(done({ deviceCount: 1 })).to.deep.equal([false, false, true, false]);
    expect(done({ rollouts: [started] })).to.deep.equal([false, false, false, true]);
    expect(done({ releases, deviceCount: 1, updateCount: 1 })).to.deep.equal([true, true, true, true]);
  });

  it("lead to the plan of the newest release, and to a draft until it is started", () => {
    const last = (progress: Parameters<typeof steps>[0]) => steps(progress).at(-1);
    expect(last({ releases })?.to).deep.equal(["/ota-management/rollouts/new?firmware=7", "Plan a rollout"]);
    expect(last({ releases, rollouts: [{ id: 2, state: "cancelled" }, draft] })).deep.include({
      isDone: false,
      to: ["/ota-management/rollouts/3", "Start the draft"],
    });
  });

  it("name the server for a virtual device where it is not found otherwise", () => {
    const sim = (origin: string) => steps({ origin })[2]?.commands;
    const command = "npx skyslot sim --key release.pub.jwk";
    expect(sim("http://127.0.0.1:8080")).deep.equal([command]);
    expect(sim("http://localhost:9000")).deep.equal([`${command} --server http://localhost:9000`]);
    expect(sim("https://updates.example.com"), "virtual devices are at home").deep.equal([command]);
  });
});
