// What the boot loader and esp_ota_* learn from an otadata entry with a wrong CRC: that it is wrong, and whether it also counts as
// invalid. The observer shows them the same entry for all that are equal in this, so it is certain that they learn nothing else.

import {
  decodeOtadataEntry,
  encodeOtadataEntry,
  isCrcRight,
  isInvalid,
  makeOtadataEntry,
  OTA_STATE,
  OTADATA_ENTRY_BYTES,
} from "../hardware/boot/otadata.js";

const INVALID = new Uint8Array(OTADATA_ENTRY_BYTES).fill(0xff);
const BROKEN = encodeOtadataEntry({ ...makeOtadataEntry(1, OTA_STATE.UNDEFINED), crc: 0 });

/** What a device sees in place of an entry, and what it learns from it. */
export function showEntry(bytes: Uint8Array): { readonly shown: Uint8Array; readonly answer: string } {
  const entry = decodeOtadataEntry(bytes);
  // one that is on trial is written again as it is, whatever its CRC
  if (isCrcRight(entry) || entry.state === OTA_STATE.PENDING_VERIFY)
    return { shown: bytes, answer: Buffer.from(bytes).toString("hex") };
  return isInvalid(entry) ? { shown: INVALID, answer: "invalid" } : { shown: BROKEN, answer: "broken" };
}
