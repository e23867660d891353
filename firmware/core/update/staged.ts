// An image that is complete and right in its slot, and waits for the word that arms it, because it has to start together with those of other
// devices. Its record in NVS survives restarts; the flash may not, so after a boot the slot is proved again before it counts. Types, the
// record's text, and what makes the device forget it; staging.ts decides when.

import type { Effect } from "../effect.js";
import type { Raise, StagedImage } from "../event.js";
import { asJsonObject, readJsonObject } from "../json.js";
import { readPlace } from "../trust/sequence.js";
import type { Hold } from "./hold.js";
import type { Proof } from "./job.js";
import { type InstallRecord, isCount, readOrigin } from "./record.js";
import { SECTOR_BYTES } from "./release.js";

/** NVS key of the record. */
export const STAGED_KEY = "staged";

export interface Staged extends StagedImage, Pick<InstallRecord, "firmwareId" | "slot" | "installed">, Hold {
  /** What the slot is compared with. */
  readonly proof: Proof;
}

/** Whether these 64 hex digits mean the staged image: the SHA-256 in it, or that of its whole file where that was proved. */
export const isStagedAs = (staged: Staged | undefined, sha256: string): boolean =>
  staged !== undefined &&
  (staged.imageSha256 === sha256 || (staged.proof.algorithm === "SHA256" && staged.proof.digest === sha256));

export const storeStaged = (staged: Staged): Effect => ({
  type: "store",
  key: STAGED_KEY,
  value: writeStaged(staged),
});

/** Short JSON, at most 500 characters (stored.ts). */
export const writeStaged = ({ proof, sinceMs: _, ...staged }: Staged): string =>
  JSON.stringify({ ...staged, ...proof });

/** A record that cannot be read counts as none: then the image is fetched again, of which the slot has every chunk. */
export function readStaged(text: string): Staged | undefined {
  const value = readJsonObject(text);
  const origin = value && readOrigin(value);
  if (!value || !origin) return undefined;
  const version = value.get("version");
  const build = value.get("build");
  const imageSha256 = value.get("imageSha256");
  const slot = value.get("slot");
  const until = value.get("until");
  const size = value.get("size");
  const algorithm = value.get("algorithm");
  const length = value.get("length");
  const digest = value.get("digest");
  if (typeof version !== "string" || typeof imageSha256 !== "string" || typeof slot !== "string")
    return undefined;
  if (!isCount(build) || !isCount(until) || !isCount(size) || !isCount(length)) return undefined;
  if ((algorithm !== "SHA256" && algorithm !== "MD5") || typeof digest !== "string") return undefined;
  const proof: Proof = { algorithm, length, digest };
  const protocolVersion = value.get("protocolVersion");
  const minCompatible = value.get("minCompatible");
  const compatibility = {
    ...(isCount(protocolVersion) ? { protocolVersion } : {}),
    ...(typeof minCompatible === "string" ? { minCompatible } : {}),
  };
  const installed = readPlace(asJsonObject(value.get("installed")));
  const place = installed ? { installed } : {};
  return {
    ...origin,
    version,
    build,
    imageSha256,
    slot,
    until,
    sinceMs: 0,
    size,
    proof,
    ...place,
    ...compatibility,
  };
}

/**
 * The image is given up. Its first sector is erased, before the record is forgotten: otherwise a complete image would stay in the slot, that a
 * roll back could start although it has never been on trial. The answer to the erase has the attempt of before, so nobody waits for it.
 */
export const discardStaged = (attempt: number): readonly (Effect | Raise)[] => [
  { type: "eraseSlot", attempt, offset: 0, length: SECTOR_BYTES },
  FORGET_STAGED,
  NOTHING_STAGED,
];

export const FORGET_STAGED: Effect = Object.freeze({ type: "forget", key: STAGED_KEY });

export const NOTHING_STAGED: Raise = Object.freeze({
  type: "raise",
  event: Object.freeze({ type: "stagedChanged", staged: undefined } as const),
});
