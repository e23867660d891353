// What becomes of images that were uploaded to the receiver: the job that installs them, on both devices or on the transmitter alone, as one
// from the update server. Looks first whether it can be, and whether the devices would still work together. Pure.
//
//   receiver:     staged in its other slot          (core/update/staging.ts)
//   transmitter:  in the cache, for it to fetch     (core/gateway/upload.ts)

import type { PeerFacts, StagedImage } from "../../../core/event.js";
import type { CachedImage } from "../../../core/gateway/cached-image.js";
import { incompatibility } from "../../../core/pair/compatibility.js";
import type { FirmwareVersion } from "../../../core/pair/version-packet.js";
import type { MemberOffer } from "../../../core/system/offers.js";
import type { SystemJob } from "../../../core/system/vocabulary.js";
import { parseVersion, versionNumber } from "../../../core/update/version.js";

export const SELF = "receiver";
export const OTHER = "transmitter";

/** Which devices are to be updated; the receiver alone is core's (core/local/install-api.ts). */
export type Devices = typeof OTHER | "both";

/** Why it cannot be, as it is answered. */
export interface Hindrance {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** What there is. */
export interface Stock {
  readonly staged: StagedImage | undefined;
  readonly uploaded: CachedImage | undefined;
  /** What the receiver runs. */
  readonly running: FirmwareVersion | undefined;
  readonly peer: PeerFacts | undefined;
}

/** In reports, for an image that the update server does not know: they end at the receiver. */
export const UPLOAD_FIRMWARE_ID = Number.MAX_SAFE_INTEGER;

/** As for a system whose manifest says nothing else. */
const REBOOT_DELAY_SECONDS = 5;
const HEALTH_TIMEOUT_SECONDS = 30;
/** A person waits for it. */
const STAGE_TIMEOUT_SECONDS = 3_600;

/** @param isForced whether they work together is not asked */
export function uploadedJob(devices: Devices, stock: Stock, isForced: boolean): SystemJob | Hindrance {
  const { staged, uploaded } = stock;
  const isBoth = devices === "both";
  if (!uploaded || (isBoth && !staged))
    return { status: 404, code: "NOTHING_STAGED", message: "No firmware uploaded" };
  const hindrance = olderThanPeer(uploaded, stock.peer) ?? (isForced ? undefined : misfit(devices, stock));
  if (hindrance) return hindrance;
  const { version, imageSha256 } = uploaded.release;
  const other = { id: OTHER, image: imageSha256, step: isBoth ? 1 : 0 };
  return {
    version: isBoth && staged && staged.version !== version ? `${staged.version} + ${version}` : version,
    rule: "all",
    components: isBoth && staged ? [{ id: SELF, image: staged.imageSha256, step: 0 }, other] : [other],
    rebootDelaySeconds: REBOOT_DELAY_SECONDS,
    healthTimeoutSeconds: HEALTH_TIMEOUT_SECONDS,
    stageTimeoutSeconds: STAGE_TIMEOUT_SECONDS,
    isUploaded: true,
    ...(isForced ? { mayMisfit: true } : {}),
  };
}

/** The transmitter would refuse it, and so would a force. */
function olderThanPeer({ release }: CachedImage, peer: PeerFacts | undefined): Hindrance | undefined {
  const { version, parsedVersion } = release;
  if (!peer || peer.version === "" || versionNumber(parsedVersion) > peer.number) return undefined;
  const message = `The transmitter runs ${peer.version}, and takes nothing that is not newer: the image is ${version}`;
  return { status: 409, code: "NOT_NEWER", message };
}

function misfit(devices: Devices, { staged, uploaded, running }: Stock): Hindrance | undefined {
  const receiver = devices === "both" ? staged && spokenBy(staged) : running;
  const transmitter = uploaded && spokenBy(uploaded.release);
  const why = receiver && transmitter && incompatibility(receiver, transmitter);
  if (why === undefined) return undefined;
  const message = `The transmitter's image does not work with the receiver${devices === "both" ? "'s image" : ""}: ${why}`;
  return { status: 409, code: "PEER_INCOMPATIBLE", message };
}

/** `undefined`: an image that does not say it is believed to fit. */
function spokenBy({
  version,
  protocolVersion,
  minCompatible = "",
}: Pick<StagedImage, "version" | "protocolVersion" | "minCompatible">):
  | Pick<FirmwareVersion, "firmwareVersion" | "protocolVersion" | "minCompatible">
  | undefined {
  const parsed = parseVersion(version);
  const minimum = parseVersion(minCompatible);
  return parsed && protocolVersion !== undefined
    ? {
        firmwareVersion: versionNumber(parsed),
        protocolVersion,
        minCompatible: minimum ? versionNumber(minimum) : 0,
      }
    : undefined;
}

/** What the transmitter is told to fetch. */
export const uploadedOffer = ({ target, digestsTarget, manifest, release }: CachedImage): MemberOffer => ({
  id: OTHER,
  image: release.imageSha256,
  sizeBytes: release.size,
  answer: {
    firmware_id: UPLOAD_FIRMWARE_ID,
    version: release.version,
    build_number: release.build,
    download_url: target,
    digests_url: digestsTarget,
    release: manifest,
  },
});
