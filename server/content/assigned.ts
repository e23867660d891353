// The pictures that operators have assigned, as a source of content.

import type { HotBlobs } from "../blobs/hot.js";
import type { ContentAssignment, Store } from "../store/store.js";
import { chooseAssignment } from "./choice.js";
import { type ContentDevice, type ContentSource, contentOf } from "./content.js";

interface Sources {
  readonly store: Store;
  readonly hot: HotBlobs;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function storeContent({ store, hot, now }: Sources): ContentSource {
  return {
    async find(device) {
      const chosen = await findAssignment(store, device, now());
      const image = chosen && (await store.findContentImage(chosen.imageId));
      // Deleted meanwhile: there is nothing, as if it had been asked for a moment later.
      if (!image) return undefined;
      const pbm = await hot.load(image.hash, image.sizeBytes);
      if (!pbm)
        throw new Error(`picture ${image.id} has ${image.sizeBytes} bytes, more than is sent at once`);
      return contentOf(pbm);
    },
  };
}

/** The assignment that decides what a device shows at a time. */
export async function findAssignment(
  store: Store,
  { id, type }: ContentDevice,
  time: number,
): Promise<ContentAssignment | undefined> {
  const { group } = await store.findLabels(id);
  const audience = { deviceId: id, type, group };
  return chooseAssignment(audience, await store.findContentAssignmentsFor(audience), time);
}
