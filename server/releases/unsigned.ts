// Firmware for devices that know no signatures: what the file says of itself must agree with what the uploader says. Only taken
// for device types that an administrator has made `legacy`.

import { parseVersion, versionName } from "../../firmware/core/update/version.js";
import type { Blob, BlobStore } from "../blobs/blobs.js";
import { Refusal } from "../shared/refusal.js";
import type { Store } from "../store/store.js";
import type { CheckedFirmware, FirmwareFields } from "./firmware-fields.js";
import { type AppImage, readAppImage } from "./image-file.js";

/** Chip of a file that is no image of an ESP32. */
const OTHER_CHIP = "other";

/** @throws Refusal RELEASE_MISSING, TYPE_IS_SIGNED, FIELD_MISSING, FIELD_MISMATCH, VERSION_INVALID, IMAGE_MALFORMED */
export async function checkLegacy(
  fields: FirmwareFields,
  blob: Blob,
  blobs: BlobStore,
  store: Pick<Store, "findType">,
): Promise<CheckedFirmware> {
  const deviceType = fields.device_type;
  if (deviceType === undefined) {
    throw new Refusal(
      "RELEASE_MISSING",
      "part release is missing: the signed manifest that `skyslot release sign` writes (or, for a legacy type, device_type and version)",
    );
  }
  if (!fields.legacy) await refuseSigned(deviceType, store);
  if (fields.version === undefined) {
    throw new Refusal(
      "FIELD_MISSING",
      "part version is missing: firmware without a signed manifest needs it",
    );
  }
  const version = parseVersion(fields.version);
  if (!version)
    throw new Refusal("VERSION_INVALID", `version "${fields.version}" is not semantic, as 1.2.3 is`);
  const minimum = fields.min_current_version;
  if (minimum !== undefined && !parseVersion(minimum))
    throw new Refusal("MIN_VERSION_INVALID", `min_current_version "${minimum}" is not semantic, as 1.2.3 is`);
  const image = await readAppImage(blobs.read(blob.sha256));
  const chip = checkImageFields(image, fields);
  return {
    deviceType,
    hardware: fields.hardware ?? chip,
    chip,
    version: versionName(version),
    buildNumber: fields.build_number ?? version.build,
    filename: fields.filename ?? `${deviceType}-${versionName(version)}.bin`,
    fileSize: blob.sizeBytes,
    fileHash: blob.sha256,
    binaryPath: blob.path,
    md5: blob.md5,
    sha1: blob.sha1,
    imageSha256: image.kind === "app" ? image.imageSha256 : "",
    isStable: fields.is_stable ?? true,
    isActive: fields.is_active ?? true,
    minCurrentVersion: fields.min_current_version ?? null,
    securityVersion: image.kind === "app" ? image.description.securityVersion : 0,
    sequence: 0,
    notes: fields.release_notes ?? null,
    release: null,
    expiresAt: null,
  };
}

/** For clients that cannot check a signature. @throws Refusal TYPE_IS_SIGNED */
export async function requireLegacy(deviceType: string, store: Pick<Store, "findType">): Promise<void> {
  if ((await store.findType(deviceType))?.kind === "legacy") return;
  throw new Refusal(
    "TYPE_IS_SIGNED",
    `type ${deviceType} is signed, and this client cannot check signatures: make the type legacy to serve it (\`skyslot type set ${deviceType} legacy\`)`,
  );
}

async function refuseSigned(deviceType: string, store: Pick<Store, "findType">): Promise<void> {
  const type = await store.findType(deviceType);
  if (type?.kind === "legacy") return;
  throw new Refusal(
    "TYPE_IS_SIGNED",
    `devices of type ${deviceType} take signed releases only: send the manifest that \`skyslot release sign\` writes, ` +
      `or, if its devices know no signatures, make the type legacy: \`skyslot type set ${deviceType} legacy\`, or the field legacy=true with this upload`,
  );
}

/** The chip that the file is for. An Arduino image has no version of its own, so only a valid version can disagree. */
function checkImageFields(image: AppImage, fields: FirmwareFields): string {
  if (image.kind === "damaged") throw new Refusal("IMAGE_MALFORMED", image.problem);
  if (image.kind === "other") return fields.chip ?? OTHER_CHIP;
  const { chip, version } = image.description;
  if (fields.chip !== undefined && fields.chip !== chip) {
    throw new Refusal("FIELD_MISMATCH", `chip is ${fields.chip}, the image is for ${chip}`);
  }
  const own = parseVersion(version);
  const wanted = parseVersion(fields.version ?? "");
  if (own && wanted && versionName(own) !== versionName(wanted)) {
    throw new Refusal("FIELD_MISMATCH", `version is ${fields.version}, the image says ${version}`);
  }
  return chip;
}
