// What the second holder of a release key checks before they sign what the first one has: that the manifest describes the very image that they have. Runs
// in the page that signs; the command line verifies the image as a device does (verify.ts).

import { base64url } from "jose";
import type { GeneralJws, ReleaseFacts, SignedTwice } from "../firmware/core/wire.js";
import { describeInBrowser } from "./describe-in-browser.js";
import { ReleaseError } from "./error.js";
import { compareFacts, imageFacts } from "./image-facts.js";
import { readRelease } from "./signing.js";

type TwicePayload = ReleaseFacts & SignedTwice;

/** What an image decides of its manifest; the rest is wished for it. */
const OF_IMAGE = Object.freeze([
  "chip",
  "version",
  "build",
  "size",
  "sha256",
  "imageSha256",
  "securityVersion",
  "pages",
] as const satisfies readonly (keyof TwicePayload)[]);

/** Longest manifest that is read, with what may be around it. */
export const MAX_MANIFEST_LENGTH = 8_192;

/** @throws ReleaseError RELEASE_MALFORMED, RELEASE_TOO_LARGE; RELEASE_MALFORMED if it has no room for a second signature */
export function readFirstManifest(text: string): { readonly jws: string; readonly payload: TwicePayload } {
  const jws = text.trim();
  const { type, version } = readRelease(jws).release;
  if (!jws.startsWith("{"))
    throw new ReleaseError(
      "RELEASE_MALFORMED",
      `the manifest of ${type} ${version} has room for one signature: the first holder has to sign it in format 3`,
    );
  const { payload } = JSON.parse(jws) as GeneralJws;
  return { jws, payload: JSON.parse(new TextDecoder().decode(base64url.decode(payload))) };
}

/** @throws ReleaseError IMAGE_MISMATCH if the manifest is for another image, IMAGE_MALFORMED */
export async function requireSameImage(stated: TwicePayload, image: Uint8Array): Promise<void> {
  compareFacts("manifest", stated, imageFacts(image));
  const { format, created, chunkSize: chunkBytes } = stated;
  const own = (await describeInBrowser(image, { format, created, chunkBytes })) as TwicePayload;
  const other = OF_IMAGE.find((field) => own[field] !== stated[field]);
  if (other !== undefined)
    throw new ReleaseError(
      "IMAGE_MISMATCH",
      `the manifest is for another image: its ${other} is ${stated[other]}, that of the chosen image is ${own[other]}`,
    );
}
