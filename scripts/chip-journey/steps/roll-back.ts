// Images that must not stay: each is installed as an update, fails in its trial, and the previous image runs again and reports why.

import { expect, type Journey, Skipped, secondsToTake } from "../journey.js";

/** Longest trial: until its deadline. */
const TRIAL_SECONDS = 360;

export const rollsBackAnImageThatThrows = (journey: Journey): Promise<string> =>
  rollsBack(journey, journey.parts.images.throws, "--image-throws");

export const rollsBackAnImageThatHangs = (journey: Journey): Promise<string> =>
  rollsBack(journey, journey.parts.images.hangs, "--image-hangs");

export const rollsBackAnImageThatDiesWhileItLoads = (journey: Journey): Promise<string> =>
  rollsBack(journey, journey.parts.images.dies, "--image-dies");

async function rollsBack(journey: Journey, image: Uint8Array | undefined, option: string): Promise<string> {
  if (!image) throw new Skipped(`no image was given with ${option}`);
  const { front, serial, say } = journey.parts;
  const before = await journey.facts();
  const [reportCount, restartCount] = [front.reports.length, serial?.restartCount ?? 0];
  const { firmwareId, version } = await journey.offer(image);
  try {
    say(`${version} is on its way`);
    const { error_code, error_message } = await journey.reportAfter(
      reportCount,
      `a report that ${version} was rolled back`,
      secondsToTake(image.length) + TRIAL_SECONDS,
      ({ firmware_id, status }) => firmware_id === firmwareId && status === "failed",
    );
    expect(error_code === "ROLLED_BACK", `it reports ${error_code}: ${error_message}`);
    const after = await journey.answers();
    expect(
      after.version === before.version && after.slot === before.slot,
      `${after.version} runs in ${after.slot}, before it was ${before.version} in ${before.slot}`,
    );
    expect(/^(valid|factory)$/.test(after.slotState), `${after.slot} is ${after.slotState}`);
    const restarts = serial ? `; ${serial.restartCount - restartCount} restarts` : "";
    return `${error_message}${restarts}; ${after.version} runs again in ${after.slot}`;
  } finally {
    await front.deactivate(firmwareId);
  }
}
