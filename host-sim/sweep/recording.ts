// The journeys, each made once without a cut: where the flash began, and every operation of the way.
//
//   provisioning   from the box through the portal to the first check            update, settings, failing: go on from there
//   update         1.0.0 in factory to 1.1.0 in ota_0                            later: goes on from there
//   settings       all settings changed on the device's page
//   failing        an image that throws in its trial: tried, and rolled back
//   later          1.1.0 in ota_0 to 1.2.0 in ota_1: both otadata entries are in use

import { Flash, type FlashOperation } from "../hardware/flash.js";
import { DATA_SUBTYPE_NVS, findPartition, PARTITION_TYPE_DATA } from "../hardware/partition-table.js";
import { randomStream } from "../random.js";
import { describeEvent } from "../watch.js";
import { changeSettings, type House, openHouse } from "./house.js";
import type { SweepImages, SweepRelease } from "./images.js";
import { type Settings, settingsIn } from "./settings.js";

export const JOURNEYS = Object.freeze(["provisioning", "update", "settings", "failing", "later"] as const);
export type JourneyName = (typeof JOURNEYS)[number];

export interface Recording {
  readonly name: JourneyName;
  /** The whole flash at the beginning. */
  readonly start: Uint8Array;
  readonly operations: readonly FlashOperation[];
  /** Cuts before this operation are those of another journey. */
  readonly firstOperation: number;
  readonly settings: Settings;
}

/** A journey that fails although nothing was cut: whatever is swept is broken itself. */
export class JourneyError extends Error {
  override readonly name = "JourneyError";
  readonly journey: JourneyName;

  constructor(journey: JourneyName, message: string) {
    super(message);
    this.journey = journey;
  }
}

export type JourneyTrace = (journey: JourneyName, line: string) => void;

const FLASH_BYTES = 8 * 1024 * 1024;
const HOUR_MS = 3_600_000;
/** What a journey's last step leads to, such as the closing of the portal, is over by then. */
const AFTERMATH_MS = 90_000;

/** @throws JourneyError */
export async function recordJourneys(
  images: SweepImages,
  onTrace: JourneyTrace = () => {},
): Promise<Recording[]> {
  const record = (...rest: Rest<Parameters<typeof recordJourney>>) => recordJourney(onTrace, ...rest);
  const box = boxed(images);
  const { update, failing, later } = images;
  const provisioning = await record("provisioning", box, undefined, false, async (house, until) => {
    await until(() => house.server.checks.length > 0);
  });
  const home = provisioning.end;
  const updated = await record("update", home, update, true, (house, until) =>
    until(() => house.server.hasValidated(update)),
  );
  const settings = await record("settings", home, undefined, true, async (house, until, address) => {
    await until(() => house.server.checks.length > 0);
    if (!(await changeSettings(house, address())))
      throw new JourneyError("settings", "the device did not take the settings");
  });
  const failed = await record("failing", home, failing, true, (house, until) =>
    until(() => house.server.reports.some(({ status }) => status === "failed")),
  );
  const last = await record("later", updated.end, later, true, (house, until) =>
    until(() => house.server.hasValidated(later)),
  );
  const all = [provisioning, updated, settings, failed, last].map(({ recording }) => recording);
  const arming = findArming(failed.recording);
  return all.map((recording) =>
    recording === failed.recording ? { ...recording, firstOperation: arming } : recording,
  );
}

/** A new device, whose slots hold what somebody left there. */
function boxed(images: SweepImages): Uint8Array {
  const flash = new Flash(FLASH_BYTES);
  const { desk } = openHouse({ flash, image: images.factory.image, alone: true, offer: () => undefined });
  const random = randomStream("left over");
  for (const { label, offset } of desk.device.partitions) {
    if (!label.startsWith("ota_")) continue;
    const end = offset + images.later.image.length;
    for (let at = offset; at < end; at += 1) flash.bytes[at] = Math.floor(random() * 256);
  }
  return flash.bytes;
}

type Until = (done: () => boolean) => Promise<void>;
type Rest<Parameters> = Parameters extends [unknown, ...infer Others] ? Others : never;

async function recordJourney(
  onTrace: JourneyTrace,
  name: JourneyName,
  start: Uint8Array,
  offered: SweepRelease | undefined,
  alone: boolean,
  drive: (house: House, until: Until, address: () => string) => Promise<void>,
): Promise<{ readonly recording: Recording; readonly end: Uint8Array }> {
  const flash = new Flash(FLASH_BYTES, start);
  let address = "";
  const house = openHouse({
    flash,
    alone,
    offer: () => offered,
    onEvent: (event) => onTrace(name, describeEvent(event) ?? event.type),
    onTrace: (line) => {
      onTrace(name, line);
      address = /address (\d+\.\d+\.\d+\.\d+)/.exec(line)?.[1] ?? address;
    },
  });
  const operations: FlashOperation[] = [];
  flash.onOperation = (operation, when) => {
    if (when === "before") operations.push({ ...operation, bytes: operation.bytes.slice() });
  };
  const { desk } = house;
  desk.device.powerOn();
  const until = async (done: () => boolean): Promise<void> => {
    if (await desk.world.runUntil(done, { limitMs: HOUR_MS })) return;
    throw new JourneyError(name, "the journey did not come to its end within an hour, without any cut");
  };
  await drive(house, until, () => address);
  await desk.world.runFor(AFTERMATH_MS);
  desk.device.powerOff();
  if (operations.length === 0) throw new JourneyError(name, "the journey did nothing to the flash");
  const settings = settingsIn(flash, nvsOf(desk.device.partitions));
  return {
    recording: { name, start: start.slice(), operations, firstOperation: 0, settings },
    end: flash.bytes,
  };
}

/** The first operation after the last one on the slot: what comes before is the same in every update. */
function findArming({ operations }: Recording): number {
  return operations.findLastIndex(isInSlot) + 1;
}

/** Apps begin behind the first 64 KiB, and everything else ends there. */
export const isInSlot = ({ offset }: FlashOperation): boolean => offset >= 0x10000;

export function nvsOf(partitions: Parameters<typeof findPartition>[0]) {
  const nvs = findPartition(partitions, { type: PARTITION_TYPE_DATA, subtype: DATA_SUBTYPE_NVS });
  if (nvs === undefined) throw new Error("the partition table has no NVS");
  return nvs;
}
