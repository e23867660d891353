// Updates over the network: one interrupted by a power cut, one signed with an untrusted key.

import { makeReleaseKeys } from "../../../release/keys.js";
import { expect, type Journey, kilobytes, Skipped, secondsToTake } from "../journey.js";
import { until } from "../waiting.js";

/** What may have been written and not yet reported, and what is fetched again because its chunk was not complete. */
const TOLERANCE_BYTES = 64 * 1024;
const CUT_AT_MOST = 0.8;

export async function refusesAReleaseThatIsSignedByAnotherKey(journey: Journey): Promise<string> {
  const { front, images } = journey.parts;
  const { privateKey } = await makeReleaseKeys();
  const { reports, downloads } = front;
  const [reportCount, downloadCount] = [reports.length, downloads.length];
  const { firmwareId } = await journey.offer(images.a, privateKey);
  try {
    const report = await journey.reportAfter(
      reportCount,
      "its refusal",
      60,
      ({ firmware_id, status }) => firmware_id === firmwareId && status === "failed",
    );
    expect(report.error_code === "KEY_UNKNOWN", `it reports ${report.error_code}: ${report.error_message}`);
    expect(downloads.length === downloadCount, "it fetched the image nevertheless");
    return `${report.error_message}`;
  } finally {
    await front.deactivate(firmwareId);
  }
}

export async function fetchesAnUpdateUntilItsPowerIsCut(journey: Journey): Promise<string> {
  const { images, front, power, say } = journey.parts;
  if (!power)
    throw new Skipped("its power cannot be switched: use --power-off and --power-on, or a terminal");
  const reportCount = front.reports.length;
  const offer = await journey.offer(images.b ?? images.a);
  journey.offered = offer;
  const sizeBytes = offer.image.length;
  const cutAtBytes = Math.min(journey.parts.cutAtBytes ?? sizeBytes / 2, sizeBytes * CUT_AT_MOST);
  const place = `${kilobytes(cutAtBytes)} of ${kilobytes(sizeBytes)}`;
  say(`waiting for ${place}`);
  // it reports each tenth, and gets no further than the next one
  front.holdAtBytes = Math.round(cutAtBytes + sizeBytes / 10);
  try {
    const { bytes_downloaded = 0 } = await journey.reportAfter(
      reportCount,
      `a report of ${place}`,
      secondsToTake(sizeBytes),
      (report) => report.firmware_id === offer.firmwareId && (report.bytes_downloaded ?? 0) >= cutAtBytes,
    );
    await power.off();
    journey.offered = { ...offer, cutAt: bytes_downloaded };
    return `at ${kilobytes(bytes_downloaded)} of ${kilobytes(sizeBytes)}`;
  } finally {
    front.holdAtBytes = undefined;
  }
}

export async function resumesWhereItsPowerWasCut(journey: Journey): Promise<string> {
  const { front, power } = journey.parts;
  const { offered } = journey;
  if (!power || offered?.cutAt === undefined) throw new Skipped("its power was not cut");
  const downloadCount = front.downloads.length;
  await power.on();
  const { offset } = await until("the rest of the download", journey.limitMs(180), () =>
    front.downloads.slice(downloadCount).at(0),
  );
  expect(
    offset >= offered.cutAt - TOLERANCE_BYTES && offset > 0,
    `it resumed at byte ${offset}, but had reported ${offered.cutAt}`,
  );
  return `at byte ${offset} of ${offered.image.length}`;
}

export async function passesItsTrialAndIsValidated(journey: Journey): Promise<string> {
  const { images, front } = journey.parts;
  const checkCount = front.checks.length;
  const offered = journey.offered ?? (await journey.offer(images.b ?? images.a));
  const { slot } = await journey.validated(offered, checkCount);
  const onTrial = front.checks
    .slice(checkCount)
    .some(
      ({ image_sha256, slot_state }) =>
        image_sha256 === offered.imageSha256 && slot_state === "pending_verify",
    );
  expect(onTrial, "it was valid without a trial");
  return `${offered.version} in ${slot}`;
}
