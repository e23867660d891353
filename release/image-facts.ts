// What an image states of itself, compared with what somebody else states of it: so that a manifest that is for another image is noticed
// before it is signed or sent. Digests are checked elsewhere.

import { parseVersion, versionName } from "../firmware/core/update/version.js";
import { ReleaseError } from "./error.js";
import { describeImage } from "./payload.js";

export interface ImageFacts {
  readonly project: string;
  readonly version: string;
  readonly build: number;
  readonly chip: string;
  /** Bytes. */
  readonly size: number;
}

/** Of an image, by a manifest, which may not state the project. */
export interface StatedFacts extends Omit<ImageFacts, "project"> {
  readonly type: string;
  readonly project?: string;
}

/** @throws ReleaseError IMAGE_MALFORMED */
export function imageFacts(image: Uint8Array): ImageFacts {
  const { project, version, chip } = describeImage(image);
  const parsed = parseVersion(version);
  return {
    project,
    version: parsed ? versionName(parsed) : version,
    build: parsed?.build ?? 0,
    chip,
    size: image.length,
  };
}

/** @param what states them, such as `manifest` @throws ReleaseError IMAGE_MISMATCH */
export function compareFacts(what: string, stated: StatedFacts, image: ImageFacts): void {
  const isSame =
    (["version", "build", "chip", "size"] as const).every((name) => stated[name] === image[name]) &&
    (stated.project ?? image.project) === image.project;
  if (isSame) return;
  throw new ReleaseError(
    "IMAGE_MISMATCH",
    `the ${what} is for another image: ${describe(stated.project ?? stated.type, stated)}; the chosen image is ${describe(image.project, image)}`,
  );
}

const describe = (name: string, { version, build, chip, size }: Omit<ImageFacts, "project">): string =>
  `${name} ${version}${build > 0 ? ` build ${build}` : ""} for ${chip}, ${size} bytes`;
