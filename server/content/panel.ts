// What is known of a device's panel: that it has one, because it asks for pictures, and which picture it has.

import { Refusal } from "../shared/refusal.js";
import type { ContentTarget, Device, Panel, Store } from "../store/store.js";

/** A panel asks for its picture seconds after its first check; it may also take a few tries. */
const FIRST_REQUEST_MS = 10 * 60_000;

/** A device asks for its picture. Most requests bring nothing new, and are not written. */
export async function notePanel(
  { store, now }: { readonly store: Pick<Store, "findPanel" | "putPanel">; readonly now: () => number },
  deviceId: string,
  etag: string | null,
  isUnchanged: boolean,
): Promise<void> {
  const known = await store.findPanel(deviceId);
  if (known && known.etag === etag && (isUnchanged || etag === null)) return;
  const time = Math.round(now());
  const fetchedAt = etag === null || isUnchanged ? null : time;
  await store.putPanel({ deviceId, askedAt: known?.askedAt ?? time, etag, fetchedAt });
}

/** The picture that a panel has, if it is one of those that were uploaded here. */
export async function findPanelImage({ store }: { readonly store: Store }, { etag }: Panel) {
  return etag === null ? undefined : store.findContentImageByHash(etag.replaceAll('"', ""));
}

/** @throws Refusal DEVICE_HAS_NO_PANEL */
export async function requirePanel(
  { store, time }: { readonly store: Pick<Store, "findPanel">; readonly time: number },
  target: ContentTarget,
  device: Device | undefined,
): Promise<void> {
  if (target.kind !== "device" || !device || time - device.firstSeen < FIRST_REQUEST_MS) return;
  if (await store.findPanel(device.id)) return;
  throw new Refusal(
    "DEVICE_HAS_NO_PANEL",
    `device ${device.id} has never asked for a picture, so it has no panel: one asks after each start`,
  );
}
