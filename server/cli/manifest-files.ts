// What commands that sign have in common: where manifests are, and the times in them.

import type { Release } from "../../firmware/core/update/release.js";
import { UsageError } from "./output.js";

/** The file of an image's manifest: base-1.1.0.bin, base-1.1.0.release.jws. */
export const manifestBeside = (firmware: string): string => `${firmware.replace(/\.bin$/, "")}.release.jws`;

/**
 * What the manifest of an image says, of the file of either. Does not check its signature.
 * @throws ReleaseError RELEASE_MALFORMED, RELEASE_TOO_LARGE
 */
export async function readManifestOf(file: string): Promise<Release> {
  const { readFile } = await import("node:fs/promises");
  const { readRelease } = await import("../../release/signing.js");
  const manifest = file.endsWith(".jws") ? file : manifestBeside(file);
  return readRelease((await readFile(manifest, "utf8")).trim()).release;
}

/** `NAME=FILE`, or a file. */
export function splitName(text: string): { readonly name: string | undefined; readonly file: string } {
  const [, name, file] = /^([A-Za-z0-9._-]{1,64})=(.+)$/s.exec(text) ?? [];
  return name === undefined || file === undefined ? { name: undefined, file: text } : { name, file };
}

/** Seconds since 1970: now, or the time of SOURCE_DATE_EPOCH (reproducible-builds.org). @throws UsageError */
export function createdNow({ SOURCE_DATE_EPOCH: epoch }: NodeJS.ProcessEnv = process.env): number {
  if (epoch === undefined) return Math.floor(Date.now() / 1000);
  if (!/^\d{1,10}$/.test(epoch))
    throw new UsageError(`SOURCE_DATE_EPOCH is "${epoch}", not a number of seconds since 1970`);
  return Number(epoch);
}

/** A time as people write it, in seconds since 1970. @param now likewise @throws UsageError */
export async function readTime(text: string, now: number): Promise<number> {
  const { readExpiry } = await import("../../release/expiry.js");
  const expires = readExpiry(text, now);
  if (expires === undefined)
    throw new UsageError(`"${text}" is not a time such as 2030-01-31 or a number of days such as 90d`);
  return expires;
}
