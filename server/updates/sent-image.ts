// An attempt of a client that reports nothing, such as HTTPUpdate: it fetches the image with one request, and says with its next one
// what runs. How much it was sent is all that is known in between.
//
//   offered ──▶ sending ──▶ sent      the response was written to its end
//                  │          └──▶ asks again, another image runs: NEVER_RAN       it was not installed, crashed, or was rolled back
//                  └─────────────▶ asks again, another image runs: DOWNLOAD_BROKEN
//
// If the release's image or version runs, the attempt has succeeded before this is asked (devices/evidence.ts).

import { isVersionOf } from "../devices/evidence.js";
import type { Journal } from "../events/journal.js";
import { nameRelease } from "../shared/rollout.js";
import { type Device, type Firmware, NEVER_RAN, type Update } from "../store/store.js";
import { failAttempt, moveAttempt, succeed } from "./attempt.js";

const SENDING = "sending";
const SENT = "sent";

/** Before the first byte. Returns the attempt: the open one of a device that was offered this firmware. */
export async function beginSending(
  journal: Journal,
  deviceId: string,
  firmware: Firmware,
): Promise<Update | undefined> {
  const open = await journal.store.findOpenUpdate(deviceId);
  if (open?.firmwareId !== firmware.id) return undefined;
  return moveAttempt(journal, firmware, open, { status: "downloading", step: SENDING });
}

/** After the last byte: as far as the server knows, proxies and the client's radio are in between. */
export async function noteSent(journal: Journal, attemptId: number, firmware: Firmware): Promise<void> {
  const attempt = await journal.store.findUpdate(attemptId);
  if (attempt?.status !== "downloading" || attempt.step !== SENDING) return;
  await moveAttempt(journal, firmware, attempt, {
    status: "downloading",
    step: SENT,
    bytesDownloaded: firmware.fileSize,
  });
}

/** The device asks again, and its state has not proved a success: what it was sent has failed. Returns the attempt while it is open. */
export async function endUnproved(
  journal: Journal,
  device: Device,
  open: Update | undefined,
): Promise<Update | undefined> {
  if (open?.status !== "downloading" || (open.step !== SENDING && open.step !== SENT)) return open;
  const firmware = await journal.store.findFirmware(open.firmwareId);
  // Only clients that cannot check a manifest report nothing; the steps of others are their own words.
  if (!firmware || firmware.release !== null) return open;
  // To install the same version again changes nothing else.
  if (open.step === SENT && isVersionOf(firmware, device))
    await succeed(journal, device, firmware, open, "reported");
  else if (open.step === SENT)
    await failAttempt(
      journal,
      open,
      NEVER_RAN,
      `was sent all ${firmware.fileSize} bytes of ${nameRelease(firmware)}, and runs ${device.version} again`,
    );
  else
    await failAttempt(
      journal,
      open,
      "DOWNLOAD_BROKEN",
      `asks again before the ${firmware.fileSize} bytes of ${nameRelease(firmware)} were sent: the connection broke, or it refused them`,
    );
  return undefined;
}
