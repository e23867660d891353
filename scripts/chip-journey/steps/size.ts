// Large images: copies of the first one, padded.

import { padded, paddedToAtLeast } from "../images.js";
import { expect, type Journey, kilobytes } from "../journey.js";
import { slotBytesOf } from "./push.js";

const LARGE_BYTES = 1_500_000 - (1_500_000 % 16);
/** The task watchdog of ESP-IDF, whether it restarts the chip or only warns. */
const STARVED = /task_wdt/;

export async function installsAnImageThatFillsItsSlot(journey: Journey): Promise<string> {
  const slotBytes = await slotBytesOf(journey);
  return installs(journey, padded(journey.parts.images.a, slotBytes));
}

export async function installsOneAndAHalfMegabytesAtFullSpeed(journey: Journey): Promise<string> {
  return installs(journey, paddedToAtLeast(journey.parts.images.a, LARGE_BYTES));
}

async function installs(journey: Journey, image: Uint8Array): Promise<string> {
  const { front, serial, memory } = journey.parts;
  const { checks, reports, downloads } = front;
  const [checkCount, reportCount, downloadCount] = [checks.length, reports.length, downloads.length];
  const position = serial?.position ?? 0;
  const offer = await journey.offer(image);
  const check = await journey.validated(offer, checkCount);
  memory.noteHeap(check.free_heap);
  const starved = serial?.find(STARVED, position);
  expect(starved === undefined, `the serial line says: ${starved?.input}`);
  const again = serial?.find(/trying again/, position);
  expect(again === undefined, `the serial line says: ${again?.input}`);
  // in sequence: it may close a download to fetch the digests of what follows, and never starts over
  const offsets = downloads.slice(downloadCount).map(({ offset }) => offset);
  const isForward = offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] ?? 0));
  expect(isForward, `its downloads began at the bytes ${offsets.join(", ")}`);
  const download = downloads[downloadCount];
  const whole = reports.slice(reportCount).find(({ bytes_downloaded }) => bytes_downloaded === image.length);
  if (!download || !whole) return `${image.length} bytes`;
  const seconds = (whole.receivedAt - download.startedAt) / 1000;
  return `${image.length} bytes in ${seconds.toFixed(1)} s, ${kilobytes(image.length / seconds)} a second`;
}
