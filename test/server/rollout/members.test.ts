// Leases and outcomes of one device in one rollout, with the store in memory.

import { expect } from "chai";
import { Journal } from "../../../server/events/journal.js";
import { believeRunning, noteEnd, noteProgress, settleLeases } from "../../../server/rollout/members.js";
import { readScene } from "../../../server/rollout/scene.js";
import type { Rollout } from "../../../server/shared/rollout.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import type { Device, FirmwareSummary, Member, Store, Update } from "../../../server/store/store.js";
import { sampleNewRollout } from "../../contract/store/rollouts.js";
import { sampleDevice, sampleFirmware } from "../../contract/store/samples.js";
import { MINUTE, NOW } from "./samples.js";

const LEASE_MS = 30 * MINUTE;
const INTERMEDIATE = 1;
const WANTED = 2;

let store: Store;
let device: Device;
beforeEach(async () => {
  store = await openSqliteStore(":memory:");
  device = await store.putDevice(sampleDevice({ slotState: "valid" }));
  await store.addFirmware(sampleFirmware({ version: "1.1.0", imageSha256: "1".repeat(64) }));
  await store.addFirmware(sampleFirmware({ version: "1.2.0", imageSha256: "2".repeat(64) }));
  await store.addRollout(
    sampleNewRollout({ firmwareId: WANTED, state: "running", leaseMs: LEASE_MS, target: {}, windows: null }),
  );
});
afterEach(() => store.close());

const journalAt = (time: number) => new Journal(store, time);
const member = async (): Promise<Member | undefined> => (await store.findMembers(device.id))[0];

/** The rollout offers a release to the device, or nothing. */
async function offer(time: number, firmwareId: number | undefined = WANTED): Promise<void> {
  const scene = await readScene(store, device, time);
  const release = scene.releases.find(({ id }) => id === firmwareId) as FirmwareSummary;
  const wanted = scene.releases.find(({ id }) => id === WANTED) as FirmwareSummary;
  const [rollout] = scene.rollouts;
  await settleLeases(journalAt(time), scene, firmwareId ? { release, wanted, rollout, stage: 0 } : undefined);
}
const offerNothing = (time: number) =>
  readScene(store, device, time).then((scene) => settleLeases(journalAt(time), scene, undefined));

const attempt = (changes: Partial<Update> = {}): Update =>
  ({ deviceId: device.id, firmwareId: WANTED, status: "downloading", errorCode: null, ...changes }) as Update;

describe("a lease", () => {
  it("is granted with an offer, and not extended by checking again", async () => {
    await offer(NOW);
    expect(await member()).to.include({ firmwareId: WANTED, leaseUntil: NOW + LEASE_MS, isUpdating: false });
    await offer(NOW + 10 * MINUTE);
    expect((await member())?.leaseUntil).to.equal(NOW + LEASE_MS);
    await offer(NOW + LEASE_MS);
    expect((await member())?.leaseUntil, "once it has run out").to.equal(NOW + 2 * LEASE_MS);
  });

  it("is extended by progress, unless it has expired", async () => {
    await offer(NOW);
    await noteProgress(journalAt(NOW + 20 * MINUTE), attempt());
    expect(await member()).to.include({ leaseUntil: NOW + 20 * MINUTE + LEASE_MS, isUpdating: true });
    await noteProgress(journalAt(NOW + 90 * MINUTE), attempt());
    expect((await member())?.leaseUntil).to.equal(NOW + 20 * MINUTE + LEASE_MS);
  });

  it("ends when nothing is offered any more, but not during a trial", async () => {
    await offer(NOW);
    device = { ...device, slotState: "pending_verify" };
    await offerNothing(NOW + MINUTE);
    expect((await member())?.leaseUntil).to.equal(NOW + LEASE_MS);
    device = { ...device, slotState: "valid" };
    await offerNothing(NOW + MINUTE);
    expect(await member()).to.include({ leaseUntil: null, isUpdating: false });
  });

  it("continues after an intermediate release, and ends with the release itself", async () => {
    await offer(NOW, INTERMEDIATE);
    await noteEnd(journalAt(NOW + MINUTE), attempt({ firmwareId: INTERMEDIATE, status: "success" }));
    expect(await member()).to.include({ leaseUntil: NOW + LEASE_MS, outcome: null });
    await offer(NOW + MINUTE);
    await noteEnd(journalAt(NOW + 2 * MINUTE), attempt({ status: "success" }));
    expect(await member()).to.include({
      leaseUntil: null,
      outcome: "validated",
      outcomeAt: NOW + 2 * MINUTE,
    });
  });
});

describe("the outcome of a device in a rollout", () => {
  it("distinguishes roll backs from other failures", async () => {
    await offer(NOW);
    await noteEnd(journalAt(NOW), attempt({ status: "failed", errorCode: "ROLLED_BACK" }));
    expect(await member()).to.include({ outcome: "rolled_back", errorCode: "ROLLED_BACK", leaseUntil: null });
    await noteEnd(journalAt(NOW), attempt({ status: "failed", errorCode: "NEVER_RAN" }));
    expect(await member()).to.include({ outcome: "rolled_back", errorCode: "NEVER_RAN" });
    await noteEnd(journalAt(NOW), attempt({ status: "failed", errorCode: "HASH_MISMATCH" }));
    expect(await member()).to.include({ outcome: "failed", errorCode: "HASH_MISMATCH" });
  });

  it("is taken from the running image, once its trial is over", async () => {
    await offer(NOW);
    const runs = async (imageSha256: string, slotState: Device["slotState"], version: string) => {
      device = { ...device, imageSha256, slotState, version };
      await believeRunning(journalAt(NOW), await readScene(store, device, NOW));
      return (await member())?.outcome;
    };
    expect(await runs("2".repeat(64), "pending_verify", "1.2.0")).to.equal(null);
    expect(await runs("2".repeat(64), "undefined", "1.2.0")).to.equal(null);
    expect(await runs("2".repeat(64), "valid", "1.2.0")).to.equal("validated");
    expect(await runs("a".repeat(64), "valid", "1.0.0"), "it is gone again").to.equal("rolled_back");
  });

  it("is taken from the version of a device that sends no hash", async () => {
    await offer(NOW);
    const runs = async (version: string) => {
      device = { ...device, imageSha256: null, slotState: null, version };
      await believeRunning(journalAt(NOW), await readScene(store, device, NOW));
      return member();
    };
    expect(await runs("1.1.0")).to.include({ outcome: null });
    expect(await runs("v1.2.0")).to.include({ outcome: "validated" });
    expect(await runs("unknown"), "says nothing").to.include({ outcome: "validated" });
    expect(await runs("1.3.0"), "is newer").to.include({ outcome: "validated" });
    expect(await runs("v1.1.9")).to.include({ outcome: "rolled_back", errorCode: "WENT_BACK" });
  });

  it("waits for the end of a trial that the firmware may make by itself", async () => {
    await offer(NOW);
    device = { ...device, imageSha256: "2".repeat(64), slotState: "undefined", version: "1.2.0" };
    const outcomeAt = async (time: number) => {
      await believeRunning(journalAt(time), await readScene(store, device, time));
      return (await member())?.outcome;
    };
    expect(await outcomeAt(NOW + 5 * MINUTE)).to.equal(null);
    expect(await outcomeAt(NOW + 6 * MINUTE)).to.equal("validated");
  });

  it("is not proved by the version that a forced rollout installs again", async () => {
    const [rollout] = await store.governingRollouts(device.type);
    await store.putRollout({ ...(rollout as Rollout), force: "reinstall" });
    await offer(NOW);
    device = { ...device, imageSha256: null, slotState: null, version: "1.2.0" };
    await believeRunning(journalAt(NOW), await readScene(store, device, NOW));
    expect((await member())?.outcome).to.equal(null);
  });
});
