// What the store promises about rollouts.

import { expect } from "chai";
import { isCounted, standingOf } from "../../../server/devices/vouching.js";
import type { Member, NewRollout, Store } from "../../../server/store/store.js";
import { sampleIdentity } from "./device-identities.js";
import { PAGE, sampleDevice, sampleFirmware } from "./samples.js";

export const sampleNewRollout = (changes: Partial<NewRollout> = {}): NewRollout => ({
  revision: 1,
  name: "first",
  firmwareId: 1,
  seed: "seed",
  target: { tags: ["lab"], toVersion: "1.0.0" },
  stages: [
    { name: "a few", percent: 10, soakMs: 1000, minValidatedCount: 1, minValidatedFraction: 0.5 },
    { name: "berlin", groups: ["berlin"], soakMs: 0, minValidatedCount: 1, minValidatedFraction: 0 },
  ],
  gates: {
    maxFailedFraction: 0.1,
    maxRolledBackFraction: 0.1,
    maxSilentFraction: 0.5,
    silentAfterMs: 500,
    minSampleCount: 2,
  },
  windows: { timeZone: "Europe/Berlin", spans: [{ weekdays: [1, 7], from: "22:00", to: "04:00" }] },
  startAt: 5000,
  maxConcurrentCount: 3,
  leaseMs: 60_000,
  priority: -2,
  force: "none",
  needsApproval: true,
  state: "draft",
  reason: "made by ada",
  stage: 0,
  stageSince: 100,
  gatesSince: 0,
  stageSizes: [],
  sizesAt: 0,
  evaluatedAt: 0,
  createdBy: "ada",
  editedBy: null,
  approvedBy: null,
  createdAt: 100,
  updatedAt: 100,
  startedAt: null,
  endedAt: null,
  ...changes,
});

export function rolloutContract(store: () => Store): void {
  const open = async (changes: Partial<NewRollout> = {}) => {
    const known = await store().findFirmware(1);
    const { id } = known ?? (await store().addFirmware(sampleFirmware()));
    return store().addRollout(sampleNewRollout({ firmwareId: id, ...changes }));
  };
  const join = async (
    rolloutId: number,
    deviceId: string,
    changes: Partial<Member> = {},
    lastSeen = 1000,
  ) => {
    await store().putDevice(sampleDevice({ id: deviceId, lastSeen }));
    const member: Member = {
      rolloutId,
      deviceId,
      firmwareId: 1,
      stage: 0,
      fromVersion: "1.0.0",
      firstGivenAt: 200,
      lastGivenAt: 200,
      leaseUntil: null,
      isUpdating: false,
      outcome: null,
      outcomeAt: null,
      errorCode: null,
      ...changes,
    };
    await store().putMember(member);
    return member;
  };

  it("returns a rollout as it was stored", async () => {
    const rollout = await open();
    expect(rollout).to.deep.equal({ ...sampleNewRollout(), id: rollout.id });
    expect(await store().findRollout(rollout.id)).to.deep.equal(rollout);
    expect(await store().findRollout(rollout.id + 1)).to.equal(undefined);
    const changed = {
      ...rollout,
      state: "running" as const,
      stage: 1,
      stageSizes: [1, 2],
      maxConcurrentCount: null,
      windows: null,
      revision: 2,
      editedBy: "eve",
      approvedBy: "bob",
      startedAt: 300,
    };
    await store().putRollout(changed);
    expect(await store().findRollout(rollout.id)).to.deep.equal(changed);
  });

  it("lists rollouts newest first, by state, firmware and type, and those of active firmware for a check", async () => {
    const [first, second] = [await open(), await open({ state: "running" })];
    const led = await store().addFirmware(sampleFirmware({ deviceType: "led", isStable: false }));
    const third = await open({ firmwareId: led.id });
    const ids = async (filter: object) => (await store().listRollouts(filter, PAGE)).rows.map(({ id }) => id);
    expect(await ids({})).to.deep.equal([third.id, second.id, first.id]);
    expect(await ids({ states: ["running", "paused"] })).to.deep.equal([second.id]);
    expect(await ids({ firmwareId: led.id })).to.deep.equal([third.id]);
    expect(await ids({ deviceType: "base" })).to.deep.equal([second.id, first.id]);
    expect((await store().listRollouts({}, { limit: 1, offset: 1 })).totalCount).to.equal(3);
    expect(await store().governingRollouts("base")).to.deep.equal([first, second]);
    await store().changeFirmware(1, { isActive: false }, 1);
    expect(await store().governingRollouts("base")).to.deep.equal([]);
  });

  it("remembers each device of a rollout, and when it was offered it first", async () => {
    const rollout = await open();
    const member = await join(rollout.id, "d1");
    await join(rollout.id, "d2", {
      stage: 1,
      outcome: "failed",
      outcomeAt: 300,
      errorCode: "BODY_TRUNCATED",
    });
    await store().putMember({
      ...member,
      firstGivenAt: 999,
      lastGivenAt: 999,
      leaseUntil: 2000,
      isUpdating: true,
    });
    expect(await store().findMembers("d1")).to.deep.equal([
      { ...member, lastGivenAt: 999, leaseUntil: 2000, isUpdating: true },
    ]);
    expect(await store().findMembers("nobody")).to.deep.equal([]);
    const ids = async (filter: object) =>
      (await store().listMembers({ rolloutId: rollout.id, ...filter }, PAGE)).rows.map(
        ({ deviceId }) => deviceId,
      );
    expect(await ids({})).to.deep.equal(["d1", "d2"]);
    expect(await ids({ stage: 1 })).to.deep.equal(["d2"]);
    expect(await ids({ outcome: "failed" })).to.deep.equal(["d2"]);
  });

  it("iterates over a fleet in pages, by id, with labels and whether the rollout offered a device something", async () => {
    for (const id of ["d3", "d1", "d2"]) await store().putDevice(sampleDevice({ id }));
    await store().putDevice(sampleDevice({ id: "other", type: "led" }));
    await store().putLabels("d2", { tags: ["lab"], group: "rome", pin: "1.0.0" });
    await store().putIdentity(sampleIdentity({ deviceId: "d2" }));
    const [rollout, another] = [await open(), await open()];
    await join(rollout.id, "d3");
    await join(another.id, "d1");
    const { id, type, hardware, chip, version, build, imageSha256, slotState } = sampleDevice({ id: "d1" });
    const device = { id, type, hardware, chip, version, build, imageSha256, slotState };
    expect(await store().scanDevices("base", rollout.id, "", 2)).to.deep.equal([
      { device: { ...device, tags: [], group: null, pin: null }, isGiven: false, identity: undefined },
      {
        device: { ...device, id: "d2", tags: ["lab"], group: "rome", pin: "1.0.0" },
        isGiven: false,
        identity: { state: "pending", deviceType: "base", vouchedType: "base", typeSince: 1000 },
      },
    ]);
    const rest = await store().scanDevices("base", rollout.id, "d2", 2);
    expect(rest.map((one) => [one.device.id, one.isGiven])).to.deep.equal([["d3", true]]);
  });

  it("counts the leases that are valid at a given time", async () => {
    const [one, two] = [await open(), await open()];
    await join(one.id, "d1", { leaseUntil: 1000 });
    await join(one.id, "d2", { leaseUntil: 2000 });
    await join(one.id, "d3");
    await join(two.id, "d3", { leaseUntil: 2000 });
    expect(await store().countLeases([one.id, two.id], 999)).to.deep.equal(
      new Map([
        [one.id, { count: 2, countedCount: 2 }],
        [two.id, { count: 1, countedCount: 1 }],
      ]),
    );
    expect(await store().countLeases([one.id], 1000)).to.deep.equal(
      new Map([[one.id, { count: 1, countedCount: 1 }]]),
    );
    expect(await store().countLeases([], 0)).to.deep.equal(new Map());
  });

  it("never lets two concurrent transactions exceed a limit", async () => {
    const rollout = await open();
    for (let n = 0; n < 12; n++) await store().putDevice(sampleDevice({ id: `d${n}` }));
    const grant = (deviceId: string) =>
      store().transaction(async (inside) => {
        const { count = 0 } = (await inside.countLeases([rollout.id], 0)).get(rollout.id) ?? {};
        if (count >= 3) return false;
        await inside.putMember({
          rolloutId: rollout.id,
          deviceId,
          firmwareId: 1,
          stage: 0,
          fromVersion: "1.0.0",
          firstGivenAt: 1,
          lastGivenAt: 1,
          leaseUntil: 100,
          isUpdating: false,
          outcome: null,
          outcomeAt: null,
          errorCode: null,
        });
        return true;
      });
    const granted = await Promise.all(Array.from({ length: 12 }, (_, n) => grant(`d${n}`)));
    expect(granted.filter(Boolean)).to.have.length(3);
    const leases = await store().countLeases([rollout.id], 0);
    expect(leases).to.deep.equal(new Map([[rollout.id, { count: 3, countedCount: 3 }]]));
  });

  it("tallies outcomes, stage by stage and since the gates were reset", async () => {
    // Soak is 1000, silence 500; the time is 3000, and the rollout was resumed at 1500.
    const rollout = await open({ gatesSince: 1500 });
    await join(rollout.id, "soaked", { outcome: "validated", outcomeAt: 1600 }, 2900);
    await join(rollout.id, "fresh", { outcome: "validated", outcomeAt: 2600 }, 2700);
    await join(rollout.id, "gone", { outcome: "validated", outcomeAt: 2000 }, 2100);
    await join(rollout.id, "lost", { isUpdating: true, leaseUntil: 4000 }, 2400);
    await join(rollout.id, "lost before", { isUpdating: true }, 900);
    await join(rollout.id, "failed before", { outcome: "failed", outcomeAt: 1400 }, 2900);
    await join(rollout.id, "back", { outcome: "rolled_back", outcomeAt: 1700 }, 2900);
    await join(rollout.id, "next stage", { stage: 1, leaseUntil: 2999 }, 2900);
    expect(await store().tallyRollout(rollout, 3000)).to.deep.equal({
      stages: [
        {
          givenCount: 7,
          updatingCount: 1,
          validatedCount: 3,
          soakedCount: 1,
          failedCount: 1,
          rolledBackCount: 1,
          silentCount: 3,
        },
        {
          givenCount: 1,
          updatingCount: 0,
          validatedCount: 0,
          soakedCount: 0,
          failedCount: 0,
          rolledBackCount: 0,
          silentCount: 0,
        },
      ],
      recent: { validatedCount: 3, failedCount: 0, rolledBackCount: 1, silentCount: 2, reachedCount: 5 },
      uncountedCount: 0,
    });
  });

  it("counts only the devices that devices/vouching.ts counts, in tallies and leases", async () => {
    const rollout = await open({ startedAt: 1000, stages: [sampleNewRollout().stages[0]!] });
    const identities = [
      ...(["approved", "pending", "blocked"] as const).flatMap((state) =>
        [null, "base", "led"].flatMap((vouchedType) =>
          [999, 1000, 1001].map((typeSince) => ({ state, vouchedType, typeSince })),
        ),
      ),
      undefined,
    ].map((changes, n) => changes && sampleIdentity({ deviceId: `d${n}`, ...changes }));
    for (const [n, identity] of identities.entries()) {
      await join(rollout.id, `d${n}`, { outcome: "failed", outcomeAt: 1100, leaseUntil: 2000 });
      if (identity) await store().putIdentity(identity);
    }
    const expected = (startedAt: number | null) =>
      identities.filter((identity) => isCounted(standingOf(identity), { startedAt })).length;
    for (const startedAt of [1000, 999, null]) {
      const { stages, recent, uncountedCount } = await store().tallyRollout({ ...rollout, startedAt }, 1500);
      const count = expected(startedAt);
      expect(stages[0]).to.include({ givenCount: count, failedCount: count, updatingCount: count });
      expect([recent.failedCount, uncountedCount]).to.deep.equal([count, identities.length - count]);
      await store().putRollout({ ...rollout, startedAt });
      expect((await store().countLeases([rollout.id], 1500)).get(rollout.id)).to.deep.equal({
        count: identities.length,
        countedCount: count,
      });
    }
    expect(expected(1000)).to.equal(8);
  });

  it("counts per device how often a firmware was rolled back", async () => {
    const { id } = await store().addFirmware(sampleFirmware());
    for (const [deviceId, count] of [
      ["d1", 2],
      ["d2", 1],
    ] as const) {
      await store().putDevice(sampleDevice({ id: deviceId }));
      for (let n = 0; n < count; n++) {
        const attempt = await store().addUpdate({
          deviceId,
          firmwareId: id,
          fromVersion: "1",
          fromBuild: 0,
          createdAt: 1,
        });
        await store().changeUpdate(attempt.id, { status: "failed", errorCode: "ROLLED_BACK" }, 2);
      }
    }
    expect([...(await store().listRolledBack(id, 1))].sort()).to.deep.equal(["d1", "d2"]);
    expect(await store().listRolledBack(id, 2)).to.deep.equal(["d1"]);
    expect(await store().listRolledBack(id + 1, 1)).to.deep.equal([]);
  });
}
