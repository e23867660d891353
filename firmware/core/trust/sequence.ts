// The place of a release among those of its type. A device refuses what comes before the one it has run, so that nobody brings back what was
// withdrawn. A thief of a key can sign version 999, behind which no version comes; so a trust root, which revokes the key, may also name the
// sequence from which releases count anew (`fastForward`): then the thief's sequence and version no longer count.
//
//   the root's fastForward for the type           what counts
//   as at the last installation, or none          not below the sequence that has run, and a newer version
//   higher than at the last installation          not below fastForward, whatever has run: the version does not count

import { readDigits } from "../digits.js";
import type { Effect } from "../effect.js";
import type { JsonObject } from "../json.js";
import type { Root } from "./root.js";

/** NVS key: sequence, fastForward, type, with blanks between them. */
export const SEQUENCE_KEY = "trust.sequence";

/** What has been installed. */
export interface Installed {
  /** 0: none that has a sequence. */
  readonly sequence: number;
  /** Of the trust root at that time; 0: it had none. */
  readonly fastForward: number;
}
export const NOTHING_INSTALLED: Installed = Object.freeze({ sequence: 0, fastForward: 0 });

/** @param type of the device: what is stored of another type, which was flashed before, does not count */
export function readInstalled(text: string | undefined, type: string): Installed {
  const [sequence = "", fastForward = "", of] = (text ?? "").split(" ");
  const read = { sequence: readDigits(sequence, 10), fastForward: readDigits(fastForward, 10) };
  return of === type && read.sequence !== undefined && read.fastForward !== undefined
    ? { sequence: read.sequence, fastForward: read.fastForward }
    : NOTHING_INSTALLED;
}

export const storeInstalled = ({ sequence, fastForward }: Installed, type: string): Effect => ({
  type: "store",
  key: SEQUENCE_KEY,
  value: `${sequence} ${fastForward} ${type}`,
});

/** Of the root for this type; 0: none. */
export const fastForwardOf = (root: Root | undefined, type: string): number =>
  root?.fastForward.find((one) => one.type === type)?.sequence ?? 0;

/** What an image leaves behind when it has passed its trial; `undefined`: nothing. */
export function installedWith(root: Root | undefined, type: string, sequence = 0): Installed | undefined {
  const fastForward = fastForwardOf(root, type);
  return sequence === 0 && fastForward === 0 ? undefined : { sequence, fastForward };
}

/** As a record in NVS has it. */
export function readPlace(value: JsonObject | undefined): Installed | undefined {
  const sequence = value?.get("sequence");
  const fastForward = value?.get("fastForward");
  return typeof sequence === "number" && typeof fastForward === "number"
    ? { sequence, fastForward }
    : undefined;
}

/** The least sequence that may be installed, and whether versions count anew. */
export function sequenceRule(
  root: Root | undefined,
  type: string,
  installed: Installed,
): { readonly least: number; readonly isAnew: boolean } {
  const fastForward = fastForwardOf(root, type);
  return fastForward > installed.fastForward
    ? { least: fastForward, isAnew: true }
    : { least: installed.sequence, isAnew: false };
}
