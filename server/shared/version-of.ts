// Versions as the server reads them: of what a device says it runs, and of releases that were taken when less strict versions were.

import { readRunningVersion, type Version } from "../../firmware/core/update/version.js";

/** @param build stated beside the version; 0: the version's own counts, such as 7 in `1.1.0+7` */
export function versionOf(text: string, build: number): Version {
  const read = readVersion(text);
  return build === 0 || read.build === build ? read : { ...read, build };
}

/** A fleet runs few versions, and a decision reads the same ones again and again. Devices make them up, so the number is bounded. */
const MAX_READ_COUNT = 1000;
const readVersions = new Map<string, Version>();

function readVersion(text: string): Version {
  const known = readVersions.get(text);
  if (known) return known;
  if (readVersions.size >= MAX_READ_COUNT) readVersions.clear();
  const read = readRunningVersion(text);
  readVersions.set(text, read);
  return read;
}
