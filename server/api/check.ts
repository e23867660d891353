// A check, by whatever route it comes: one transaction, counted.

import type { CheckRequest } from "../../firmware/core/wire.js";
import { record } from "../journal.js";
import type { Firmware } from "../store/store.js";
import { checkDevice } from "../updates.js";
import type { Context } from "./context.js";

/** The release that the device may have. @throws ApiError DEVICE_LIMIT */
export async function answerCheck(context: Context, request: CheckRequest): Promise<Firmware | undefined> {
  const { deviceLimit, metrics, now } = context;
  await deviceLimit.recount(now());
  const release = await record(context, (journal) => checkDevice(journal, request, deviceLimit), {
    about: aboutDevice(request.device_id),
  });
  metrics.checks.inc({ result: release ? "offered" : "current" });
  return release;
}

/** What transactions about one device say they are about. */
export const aboutDevice = (deviceId: string): string => `device:${deviceId}`;
