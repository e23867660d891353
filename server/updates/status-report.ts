// A device reports the progress or the end of an attempt.

import type { StatusRequest } from "../../firmware/core/wire.js";
import { isValidated } from "../devices/evidence.js";
import type { Journal } from "../events/journal.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import { nameRelease } from "../shared/rollout.js";
import type { Device, Firmware, Update } from "../store/store.js";
import { CLAIMED, failAttempt, moveAttempt, succeed } from "./attempt.js";

interface Report {
  readonly journal: Journal;
  readonly request: StatusRequest;
  /** As the report shows it. */
  readonly device: Device;
  readonly firmware: Firmware;
  /** The last attempt with this firmware. Only an offer opens one: a report that comes late, or was made up, does not. */
  readonly last: Update;
}

/** Returns the attempt as it is afterwards. @throws Refusal */
export async function reportStatus(journal: Journal, request: StatusRequest): Promise<Update> {
  const known = await journal.store.findDevice(request.device_id);
  if (!known)
    throw new Refusal("DEVICE_UNKNOWN", `device ${request.device_id} has never checked for updates here`);
  const firmware = await journal.store.findFirmware(request.firmware_id);
  if (!firmware) throw new Refusal("FIRMWARE_UNKNOWN", `firmware ${request.firmware_id} does not exist`);
  const last = await journal.store.findLastUpdate(known.id, firmware.id);
  if (!last) throw new Refusal("ATTEMPT_UNKNOWN", `${known.id} was never offered ${nameRelease(firmware)}`);
  const device = await hearReporter(journal, known, request, firmware);
  const report: Report = { journal, request, device, firmware, last };
  if (request.status === "success") return reportSuccess(report);
  if (last.status === "success")
    throw new Refusal("ATTEMPT_CLOSED", `attempt ${last.id} of ${device.id} has succeeded already`);
  return request.status === "failed" ? reportFailure(report) : reportProgress(report);
}

/** A report with the image's hash is evidence of what runs; any other says nothing of the device but that it is there. */
function hearReporter(
  journal: Journal,
  known: Device,
  request: StatusRequest,
  firmware: Firmware,
): Promise<Device> {
  const imageSha256 = request.image_sha256?.toLowerCase();
  if (!imageSha256) return journal.touchDevice(known);
  const runsRelease = imageSha256 === firmware.imageSha256;
  return journal.putDevice({
    ...known,
    imageSha256,
    slotState: request.slot_state ?? known.slotState,
    ...(runsRelease ? { version: firmware.version, build: firmware.buildNumber } : {}),
    lastSeen: journal.time,
  });
}

async function reportSuccess({ journal, device, firmware, request, last }: Report): Promise<Update> {
  if (last.status === "success") return last;
  const imageSha256 = request.image_sha256?.toLowerCase();
  const isImage = imageSha256 === firmware.imageSha256;
  if (isImage && isValidated(request.slot_state ?? null)) return succeed(journal, device, firmware, last);
  const isOther = imageSha256 && firmware.imageSha256 !== "" && !isImage;
  if (firmware.release === null && !isOther)
    return moveAttempt(journal, firmware, last, { status: "installing", step: CLAIMED });
  throw new Refusal(
    "NOT_PROVEN",
    `success counts when image_sha256 is ${firmware.imageSha256} and slot_state is valid; ` +
      `reported were ${imageSha256 ?? "none"} and ${request.slot_state ?? "none"}`,
  );
}

async function reportFailure(report: Report): Promise<Update> {
  const { journal, request, last } = report;
  const code = request.error_code ?? "UNKNOWN";
  const message = request.error_message ?? "";
  const known = await findRepeated(journal, code, last);
  // The device gives the reason for what the server has concluded, or repeats a report whose answer was lost.
  if (known && known.errorCode === code && message !== "" && known.errorMessage !== message)
    return journal.changeUpdate(known.id, { errorMessage: message });
  return (
    known ??
    failAttempt(journal, last, code, message, { ...defined({ step: request.step }), ...bytesOf(report) })
  );
}

/** The failed attempt that a failure report is about, if it is one: an attempt fails once, by the first reason. */
async function findRepeated(journal: Journal, code: string, last: Update): Promise<Update | undefined> {
  if (last.status === "failed") return last;
  // An attempt that has not begun to install cannot have been rolled back: the report is about the one before it, which a check
  // has closed meanwhile.
  if (code !== "ROLLED_BACK" || last.status === "installing") return undefined;
  const { deviceId, firmwareId } = last;
  const failed = await journal.store.listUpdates(
    { deviceId, firmwareId, status: "failed" },
    { limit: 1, offset: 0 },
  );
  return failed.rows.find(({ errorCode }) => errorCode === code);
}

function reportProgress(report: Report): Promise<Update> {
  const { journal, device, firmware, request, last } = report;
  if (last.status === "failed") {
    throw new Refusal(
      "ATTEMPT_CLOSED",
      `attempt ${last.id} of ${device.id} has failed already: a check decides whether there is another`,
    );
  }
  return moveAttempt(journal, firmware, last, {
    status: request.status,
    step: request.step ?? null,
    ...bytesOf(report),
  });
}

/** What it has downloaded, at most the whole file. */
const bytesOf = ({ request, firmware }: Report): { readonly bytesDownloaded?: number } =>
  request.bytes_downloaded === undefined
    ? {}
    : { bytesDownloaded: Math.min(request.bytes_downloaded, firmware.fileSize) };
