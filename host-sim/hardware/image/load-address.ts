// Where the boot loader may load a segment: into RAM that it does not use itself, seen from both buses. It knows addresses
// only, nothing of images.

import type { AddressRange, ChipDescription } from "../chips.js";

/** True for flash-mapped addresses: constants and code that are never copied to RAM. */
export function isMapped(address: number, chip: ChipDescription): boolean {
  return contains(chip.irom, address) || contains(chip.drom, address);
}

/** RAM that the boot loader does not use itself, looked at from both buses where it is on both. */
export function isLoadable(range: AddressRange, chip: ChipDescription, isMirror = false): boolean {
  if (range.low === range.high) return true;
  if (liesWithin(range, chip.dram)) {
    if (overlaps(range, chip.loaderStack) || overlaps(range, chip.loaderData)) return false;
    if (isMirror || !overlaps(range, chip.sharedDram)) return true;
    return isLoadable(mirror(range, chip.sharedDram, chip.sharedIram, chip.sharedInverted), chip, true);
  }
  if (liesWithin(range, chip.iram)) {
    if (overlaps(range, chip.loaderText)) return false;
    if (isMirror || !overlaps(range, chip.sharedIram)) return true;
    return isLoadable(mirror(range, chip.sharedIram, chip.sharedDram, chip.sharedInverted), chip, true);
  }
  return chip.rtc.some((rtc) => liesWithin(range, rtc));
}

/** The same RAM seen from the other bus, cut to what is shared. */
function mirror(range: AddressRange, from: AddressRange, to: AddressRange, inverted: boolean): AddressRange {
  const translate = (address: number) =>
    inverted ? to.low + (from.high - address) - 4 : to.low + (address - from.low);
  const start = translate(contains(from, range.low) ? range.low : from.low);
  const end = translate(contains(from, range.high - 1) ? range.high : from.high);
  return end < start ? { low: end, high: start } : { low: start, high: end };
}

function contains(range: AddressRange, address: number): boolean {
  return address >= range.low && address < range.high;
}

function liesWithin(inner: AddressRange, outer: AddressRange): boolean {
  return contains(outer, inner.low) && contains(outer, inner.high - 1);
}

function overlaps(left: AddressRange, right: AddressRange): boolean {
  return left.high > right.low && right.high > left.low;
}
