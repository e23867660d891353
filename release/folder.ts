// A folder of releases that any web server can serve, without an update server: images by device and version, their manifests, and the
// manifest of the system. Plans what the folder holds, and writes nothing: server/cli/release-folder.ts does.
//
//   DIR/manifest.json                                    of the newest system version, as /api/v1/systems/NAME/manifest is
//   DIR/manifest_v1.2.0.json                             of each version
//   DIR/receiver/receiver_v1.2.0_20261130_181500.bin     the image, with the time of its release (UTC)
//   DIR/receiver/receiver_v1.2.0_20261130_181500.release.jws, and .digests: of its chunks, 32 bytes each
//   DIR/receiver/receiver_latest.bin, .release.jws, .digests

import { createHash } from "node:crypto";
import type { System } from "../firmware/core/system/manifest.js";
import { versionNumber } from "../firmware/core/update/version.js";
import type { ReadRelease } from "./signing.js";
import { describeDocument, type PreviousSystem } from "./system-document.js";
import { digestFile, verifyReleaseFile } from "./verify.js";

export interface FolderRelease {
  /** In the system. */
  readonly name: string;
  readonly image: Uint8Array;
  readonly read: ReadRelease;
}

export interface FolderFile {
  /** In the folder, with `/`. */
  readonly path: string;
  readonly content: Uint8Array | string;
  /** Never replaced by another content, unless that is asked for. */
  readonly isVersioned: boolean;
}

interface FolderSystem {
  readonly jws: string;
  readonly system: System;
}

/**
 * @param baseUrl where the folder is served, such as `https://example.com/firmware`: URLs in the manifest are absolute
 * @param releases in the order of the system's components
 * @throws ReleaseError CHUNK_MISMATCH, IMAGE_MISMATCH if an image is not the one of its manifest
 */
export async function planFolder(
  releases: readonly FolderRelease[],
  signed: FolderSystem,
  baseUrl: string,
  previous: PreviousSystem | undefined,
): Promise<readonly FolderFile[]> {
  const files: FolderFile[] = [];
  const devices: [name: string, device: object][] = [];
  for (const { name, image, read } of releases) {
    const { release, jws } = read;
    await verifyReleaseFile(release, once(image));
    const stem = stemOf(name, release.version, release.created);
    const parts = [
      ["bin", image],
      ["release.jws", `${jws}\n`],
      ...(release.digestsOf === "pages"
        ? [["digests", await digestFile(release, once(image))] as const]
        : []),
    ] as const;
    for (const [end, content] of parts) {
      files.push({ path: `${name}/${stem}.${end}`, content, isVersioned: true });
      files.push({ path: `${name}/${name}_latest.${end}`, content, isVersioned: false });
    }
    const urlOf = (end: string) => `${baseUrl}/${name}/${stem}.${end}`;
    const device = {
      device_type: release.type,
      version: release.version,
      version_number: versionNumber(release.parsedVersion),
      build_number: release.build,
      hardware: release.hardware,
      firmware_url: urlOf("bin"),
      firmware_size: release.size,
      checksum: release.sha256,
      md5_checksum: createHash("md5").update(image).digest("hex"),
      protocol_version: release.protocolVersion,
      download_url: urlOf("bin"),
      release: jws,
      release_url: urlOf("release.jws"),
      ...(release.digestsOf === "pages" ? { digests_url: urlOf("digests") } : {}),
    };
    devices.push([name, device]);
  }
  const { system, jws } = signed;
  const manifest = describeDocument(
    {
      name: system.name,
      version: system.version,
      minimum: system.minCompatibleVersion ?? "0.0.0",
      releasedAt: system.created * 1000,
      description: system.description ?? "",
      manifest: jws,
      rebootDelaySeconds: system.rebootDelaySeconds,
      healthTimeoutSeconds: system.healthTimeoutSeconds,
    },
    devices,
    previous,
  );
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  files.push({ path: `manifest_v${system.version}.json`, content: text, isVersioned: true });
  files.push({ path: "manifest.json", content: text, isVersioned: false });
  return files;
}

/** The name of a release's files without their ends. @param created seconds since 1970 */
export const stemOf = (name: string, version: string, created: number): string =>
  `${name}_v${version}_${timestamp(created)}`;

/** `YYYYMMDD_HHMMSS`, UTC. */
const timestamp = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "_");

/** Whether a file of a folder is an image of this version, of whatever time. */
export const isImageOf = (file: string, name: string, version: string): boolean =>
  file.startsWith(`${name}_v${version}_`) &&
  /^\d{8}_\d{6}\.bin$/.test(file.slice(`${name}_v${version}_`.length));

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
