import { expect } from "chai";
import { chooseWithin } from "../../../server/rollout/choose-release.js";
import { planRollout } from "../../../server/rollout/fleet-plan.js";
import { isOnTrial } from "../../../server/rollout/obstacle.js";
import { readScene } from "../../../server/rollout/scene.js";
import type { Rollout } from "../../../server/shared/rollout.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import type { Device, Store } from "../../../server/store/store.js";
import { sampleDevice, sampleFirmware } from "../../contract/store/samples.js";
import { NOW, randomFrom, sampleRollout, sampleStage } from "./samples.js";

/** More than two pages of a fleet. */
const DEVICE_COUNT = 600;
const VERSIONS = ["1.0.0", "1.1.0", "1.2.0", "2.0.0", "none"];
const ALL = { limit: DEVICE_COUNT, offset: 0 };

const imageOf = (version: string): string => `${VERSIONS.indexOf(version)}`.repeat(64);

/** Releases that lead to 2.0.0 over an intermediate release, two rollouts of it, and devices that differ in everything that a rollout evaluates. */
async function fill(store: Store, seed: number): Promise<readonly Rollout[]> {
  const random = randomFrom(seed);
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  for (const version of ["1.1.0", "1.2.0"])
    await store.addFirmware(sampleFirmware({ version, imageSha256: imageOf(version) }));
  const { id: firmwareId } = await store.addFirmware(
    sampleFirmware({ version: "2.0.0", imageSha256: imageOf("2.0.0"), minCurrentVersion: "1.2.0" }),
  );
  const stages = [
    sampleStage(10),
    { ...sampleStage(0), percent: undefined, groups: ["rome"] },
    sampleStage(80),
  ];
  // Both of these depend on what was offered before.
  const terms = { force: "reinstall", target: { toVersion: "1.1.0" } };
  const running = await store.addRollout(sampleRollout({ ...terms, firmwareId, stages } as Partial<Rollout>));
  const draft = sampleRollout({
    ...{ id: 0, firmwareId, seed: "other", state: "draft", force: "reinstall", startedAt: null },
    target: { tags: ["lab", "home"], fromVersion: "1.0.0" },
  });
  for (let index = 0; index < DEVICE_COUNT; index++) {
    const id = `d${Math.floor(random() * 1e9).toString(36)}-${index}`;
    const version = pick(VERSIONS);
    await store.putDevice(
      sampleDevice({
        id,
        version,
        type: random() < 0.05 ? "led" : "base",
        hardware: pick(["esp32", "esp32", "esp32", null, "board"]),
        chip: pick(["esp32", "esp32", "esp32", null, "esp32c3"]),
        imageSha256: random() < 0.8 ? imageOf(version) : null,
        slotState: pick(["valid", "valid", "valid", "pending_verify", "factory", null]),
      }),
    );
    const labels = { tags: pick([[], ["lab"], ["home", "lab"]]), group: pick([null, "berlin", "rome"]) };
    if (random() < 0.7)
      await store.putLabels(id, { ...labels, pin: pick([null, null, null, null, "1.1.0"]) });
    if (random() < 0.3) await offer(store, id, running);
    if (random() < 0.1) await rollBackThrice(store, id, firmwareId);
  }
  return [running, draft];
}

const offer = (store: Store, deviceId: string, { id: rolloutId, firmwareId }: Rollout) =>
  store.putMember({
    ...{ rolloutId, deviceId, firmwareId, stage: 0, fromVersion: "1.0.0", firstGivenAt: 1, lastGivenAt: 1 },
    ...{ leaseUntil: null, isUpdating: false, outcome: null, outcomeAt: null, errorCode: null },
  });

async function rollBackThrice(store: Store, deviceId: string, firmwareId: number): Promise<void> {
  for (let count = 0; count < 3; count++) {
    const attempt = { deviceId, firmwareId, fromVersion: "1.0.0", fromBuild: 0, createdAt: 1 };
    const { id } = await store.addUpdate(attempt);
    await store.changeUpdate(id, { status: "failed", errorCode: "ROLLED_BACK", finishedAt: 2 }, 2);
  }
}

/** What a rollout offers one device once everything is open, check by check; the first like a real check. */
async function decideAlone(store: Store, rollout: Rollout, device: Device): Promise<string> {
  const opened: Rollout = { ...rollout, state: "running", stage: rollout.stages.length - 1 };
  const scene = await readScene(store, device, NOW);
  const rollouts = [...scene.rollouts.filter(({ id }) => id !== rollout.id), opened];
  const given = new Set([...scene.facts.given, rollout.id]);
  let at = isOnTrial(device) ? { ...scene.device, slotState: "valid" as const } : scene.device;
  let { facts } = scene;
  for (const ids: number[] = []; ; ) {
    const { offer, verdict } = chooseWithin({ ...scene, device: at, rollouts, facts, now: NOW }, opened);
    if (!offer) return verdict;
    ids.push(offer.release.id);
    if (offer.release === offer.wanted) return describePath(offer.stage, ids);
    at = { ...at, version: offer.release.version, imageSha256: offer.release.imageSha256 };
    facts = { ...facts, given };
  }
}

const describePath = (stage: number, firmwareIds: readonly number[]) =>
  `stage ${stage}: ${firmwareIds.join(", ")}`;

describe("the plan over a fleet", () => {
  for (const seed of [1, 2, 3])
    it(`agrees for every device with the decision about it alone (seed ${seed})`, async () => {
      const store = await openSqliteStore(":memory:");
      try {
        const rollouts = await fill(store, seed);
        const { rows } = await store.listDevices({ type: "base" }, ALL);
        for (const rollout of rollouts) {
          const plan = await planRollout(store, rollout, NOW, ALL);
          const actual = new Map<string, string>();
          for (const { deviceId, stage, firmwareIds } of plan.devices)
            actual.set(deviceId, describePath(stage, firmwareIds));
          for (const { deviceId, verdict } of plan.excluded) actual.set(deviceId, verdict);
          const expected = new Map<string, string>();
          for (const device of rows) expected.set(device.id, await decideAlone(store, rollout, device));
          expect([...actual].sort()).to.deep.equal([...expected].sort());
          expect(new Set(actual.values()).size, "different answers").to.be.above(7);
          expect(plan.deviceCount + plan.excludedCount).to.equal(rows.length);
        }
      } finally {
        await store.close();
      }
    });
});
