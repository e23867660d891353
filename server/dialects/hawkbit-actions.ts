// Controllers and actions, as hawkBit calls devices and attempts: finds them, and records what clients report.

import type { CheckRequest, UpdateStatus } from "../../firmware/core/wire.js";
import type { Journal } from "../events/journal.js";
import { statesVersion } from "../rollout/order.js";
import { Refusal } from "../shared/refusal.js";
import type { Attributes, Device, Firmware, Store, Update } from "../store/store.js";
import { hearDevice } from "../updates/check.js";
import { reportStatus } from "../updates/status-report.js";
import { type AttributeChange, changeAttributes } from "./hawkbit-attributes.js";
import { CANCEL_HEARD, type Controller, RETRIEVED } from "./hawkbit-views.js";
import { buildOf, UNKNOWN_VERSION, versionIn } from "./unknown-version.js";

/** An attempt under the name that hawkBit's clients know it by. */
export interface Action {
  readonly device: Device;
  readonly attempt: Update;
  readonly firmware: Firmware;
}

/** A poll contains only the device's name: the version is the last known one. */
export async function describeController(store: Store, { tenant, id }: Controller): Promise<CheckRequest> {
  const known = await store.findDevice(id);
  const attributes = known && (await store.findAttributes(id));
  return {
    device_id: id,
    device_type: tenant,
    current_version:
      known && known.version !== UNKNOWN_VERSION
        ? known.version
        : versionIn(attributes && versionAmong(attributes)),
    current_build: known?.build ?? 0,
  };
}

/** Attributes in which clients state the version that runs: ours, and that of gooseBit's clients. */
const versionAmong = (data: Readonly<Record<string, string>>): string | undefined =>
  data.version ?? data.sw_version;

/**
 * A client sends its attributes. The version in them runs, whatever its feedback has said before. A word that is no version, such as the name
 * of a build, is only believed while nothing is known: it would count as older than every release.
 */
export async function hearAttributes(
  journal: Journal,
  { id }: Controller,
  change: AttributeChange,
): Promise<void> {
  const attributes = changeAttributes(await journal.store.findAttributes(id), change);
  await journal.store.putAttributes(id, attributes, journal.time);
  const version = versionIn(versionAmong(saidIn(change, attributes)));
  const known = await journal.store.findDevice(id);
  if (!known || version === UNKNOWN_VERSION) return;
  if (known.version !== UNKNOWN_VERSION && !statesVersion({ version })) return;
  const build = await buildOf(journal.store, known, version);
  if (version === known.version && build === known.build) return;
  const said = { ...known, version, build, imageSha256: null, slotState: null, lastSeen: journal.time };
  await hearDevice(journal, known, said);
}

/** What this change says, as it is kept: not what was said before, nor what is removed. */
const saidIn = ({ data }: AttributeChange, attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => Object.hasOwn(data, name)));

/** @throws Refusal DEVICE_UNKNOWN */
export async function findController(store: Store, { tenant, id }: Controller): Promise<Device> {
  const device = await store.findDevice(id);
  if (device?.type !== tenant)
    throw new Refusal("DEVICE_UNKNOWN", `controller ${id} has never polled as ${tenant}`);
  return device;
}

/** @throws Refusal DEVICE_UNKNOWN, ACTION_UNKNOWN */
export async function findAction(
  store: Store,
  params: Controller & { readonly action: number },
): Promise<Action> {
  const device = await findController(store, params);
  const attempt = await store.findUpdate(params.action);
  const firmware = attempt && (await store.findFirmware(attempt.firmwareId));
  if (!attempt || !firmware || attempt.deviceId !== device.id)
    throw new Refusal("ACTION_UNKNOWN", `controller ${device.id} has no action ${params.action}`);
  return { device, attempt, firmware };
}

/** RAUC's client sends nothing more until it has the whole file: from now on it must be notified if the server ends the attempt. */
export async function noteRetrieved(journal: Journal, { device, firmware }: Action): Promise<void> {
  const report = { status: "downloading", step: RETRIEVED } as const;
  await reportStatus(journal, { device_id: device.id, firmware_id: firmware.id, ...report });
}

/**
 * The client finished before it knew that the server had ended the attempt. The attempt stays ended, but there is nothing left to cancel,
 * and the installed version runs on the device.
 */
export async function hearLateEnd(
  journal: Journal,
  { device, attempt, firmware }: Action,
  status: UpdateStatus,
): Promise<void> {
  await journal.changeUpdate(attempt.id, { step: CANCEL_HEARD });
  if (status !== "success") return;
  await journal.putDevice({ ...device, version: firmware.version, build: firmware.buildNumber });
  await journal.log({
    kind: "device.version",
    deviceId: device.id,
    firmwareId: firmware.id,
    updateId: attempt.id,
    message: `${device.id} reports that it has installed ${firmware.deviceType} ${firmware.version}, after ${attempt.errorCode} ended the attempt here`,
  });
}
