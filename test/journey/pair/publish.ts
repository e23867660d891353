// A system of a pair on its update server: both images, and the manifest that names them.

import { readRelease } from "../../../release/signing.js";
import { describeSystem, signSystem } from "../../../release/system.js";
import { releaseKeys, releaseOf, START_TIME } from "../rig.js";
import type { PairApp, PairRig } from "./pair-rig.js";

/** Uploads both images, not stable, and the system that they are. */
export async function publish(
  { server }: PairRig,
  version: string,
  images: Readonly<Record<PairApp, Uint8Array>>,
): Promise<void> {
  const members = [];
  for (const app of ["receiver", "transmitter"] as const) {
    const release = await releaseOf(images[app]);
    await server.upload(images[app], release, { is_stable: "false" });
    members.push({ release: readRelease(release).release });
  }
  const payload = describeSystem(members, { name: "pair", version, created: START_TIME - 500 });
  const manifest = await signSystem(payload, (await releaseKeys()).privateKey);
  await server.admin("POST", "/api/v1/systems", { manifest });
}
