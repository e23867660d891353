// Free memory while the device only checks.

import { expect, type Journey } from "../journey.js";

const CHECK_COUNT = 6;
/** What closing connections still occupy for a while. */
const TOLERANCE_BYTES = 4 * 1024;

export async function keepsItsMemoryWhileItChecks(journey: Journey): Promise<string> {
  const { front } = journey.parts;
  const heaps: number[] = [];
  while (heaps.length < CHECK_COUNT) {
    const { free_heap = 0 } = await journey.checkAfter(front.checks.length, "a check", 30);
    heaps.push(free_heap);
    journey.parts.say(`${free_heap} bytes are free, check ${heaps.length} of ${CHECK_COUNT}`);
  }
  const [first = 0, last = 0] = [heaps[0], heaps.at(-1)];
  expect(last >= first - TOLERANCE_BYTES, `free heap fell from ${first} to ${last} bytes`);
  return `${first} bytes free, ${last} after ${CHECK_COUNT - 1} more checks`;
}
