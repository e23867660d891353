// States of NVS pages that no running firmware writes, for tests.

import { crc32 } from "../../host-sim/hardware/crc32.js";
import type { Flash } from "../../host-sim/hardware/flash/flash.js";

/** Puts a header over what is there; entries and bitmap stay. @param page.version 0xfe is ESP-IDF v6.0's; newer ones are lower */
export function writePageHeader(
  flash: Flash,
  offset: number,
  page: { readonly state: number; readonly sequence: number; readonly version: number },
): void {
  const header = new Uint8Array(32).fill(0xff);
  const view = new DataView(header.buffer);
  view.setUint32(0, page.state, true);
  view.setUint32(4, page.sequence, true);
  view.setUint8(8, page.version);
  view.setUint32(28, crc32(header.subarray(4, 28)), true);
  flash.bytes.set(header, offset);
}
