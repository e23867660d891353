// What a server's page asks somebody to sign: a small JSON file, saved there and opened in the page that signs. It only saves typing: who
// signs sees every field, and those that an image states are compared with the image.

import { ReleaseError } from "./error.js";
import { type ImageFacts, imageFacts } from "./image-facts.js";

export interface UnsignedManifest extends ImageFacts {
  readonly type: string;
  readonly hardware: string;
}

/** Longest text that is read, in characters. */
export const MAX_UNSIGNED_LENGTH = 4096;

/** @param wishes empty: the default @throws ReleaseError IMAGE_MALFORMED */
export function unsignedManifestOf(
  image: Uint8Array,
  wishes: { readonly type: string; readonly hardware: string },
): UnsignedManifest {
  const facts = imageFacts(image);
  return { type: wishes.type || facts.project, hardware: wishes.hardware || facts.chip, ...facts };
}

/** @param name of the file, for the message @throws ReleaseError RELEASE_MALFORMED */
export function readUnsignedManifest(text: string, name: string): UnsignedManifest {
  const fields = text.length > MAX_UNSIGNED_LENGTH ? undefined : readObject(text);
  const isWhole =
    fields !== undefined &&
    [fields.type, fields.hardware, fields.project, fields.version, fields.chip].every(
      (value) => typeof value === "string",
    ) &&
    [fields.build, fields.size].every((value) => Number.isSafeInteger(value));
  if (!isWhole)
    throw new ReleaseError(
      "RELEASE_MALFORMED",
      `${name} is not an unsigned manifest: save it on the server's page, or fill in the fields`,
    );
  const { type, hardware, project, version, build, chip, size } = fields as unknown as UnsignedManifest;
  return { type, hardware, project, version, build, chip, size };
}

function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
